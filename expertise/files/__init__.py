"""Files: encodings, tables, safe archives and XML, hashes, atomic writes."""
