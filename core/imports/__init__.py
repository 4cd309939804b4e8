"""The one way for a spreadsheet into the portal: template, upload, dry run, preview, all or nothing, undo.

An app declares a `resource.SheetResource` and registers an `importer.Importer`; everything else is shared.
"""
