"""Videos as they come in and are found again: uploads, allowed folders, storage, and the copy a worker reads."""
