"""周报填报情况通报: one set of figures, shown as a page, a Word file for the seal and an Excel file."""
