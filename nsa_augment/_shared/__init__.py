"""Shared by several folders: types, checks, files, caches, the registry of kinds."""
