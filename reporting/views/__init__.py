"""Pages of the reporting: the homes, the weekly form, the office's matrix and lists."""
