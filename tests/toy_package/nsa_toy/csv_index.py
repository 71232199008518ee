"""A layout: plain folders, and a table of all items."""

from nsa_augment import Layout


class CsvIndex(Layout):
    name = "csv_index"
    image = "pictures/{number}.png"
    index = "index.csv"

    def record_fields(self, result):
        return {"changed_pixels": int(result.mask.sum())}

    def index_text(self, recipe, records):
        yield "image,mask,label,changed_pixels\n"
        for record in records():
            paths = (record["files"][role]["path"] for role in ("image", "mask", "label"))
            yield f"{','.join(paths)},{record['changed_pixels']}\n"
