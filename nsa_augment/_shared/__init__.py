"""What several folders need and none of them owns: types, checks, files, caches, the registry of kinds."""
