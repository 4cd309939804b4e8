"""Why a whole file is refused: what is wrong, and how to mend it."""

from collections.abc import Iterable


class FileRefused(Exception):
    """The file as a whole cannot be read; the text says what is wrong and what to do."""


def cells_named(cells: Iterable[str], *, most: int = 5) -> str:
    """`A3、B7 等 12 处`: the first cells by name, and how many there are."""
    names = list(cells)
    shown = "、".join(names[:most])
    return f"{shown} 等 {len(names)} 处" if len(names) > most else shown


EMPTY_FILE = "文件是空的，没有任何内容。请重新下载模板，填写后再上传。"
TOO_LARGE = "文件有 {size:.1f} MB，超过上限 {limit:.0f} MB。请删去多余的格式、图片或工作表，或分成几份上传。"
CSV_RENAMED = "这是文本（CSV）文件，只是扩展名写成了 .xlsx。请用 Excel 或 WPS 打开它，另存为“Excel 工作簿（*.xlsx）”再上传。"
XLS_RENAMED = "这是旧版 .xls 文件，只是扩展名写成了 .xlsx。请用 Excel 或 WPS 打开它，另存为“Excel 工作簿（*.xlsx）”再上传。"
WRONG_EXTENSION = (
    "只接收 .xlsx 文件，收到的是“{name}”。请用 Excel 或 WPS 另存为“Excel 工作簿（*.xlsx）”再上传。"
)
LOCKED = "文件设有打开密码，系统无法读取。请在 Excel 或 WPS 中取消密码后另存，再上传。"
CORRUPT = "文件已损坏，或不是 Excel 工作簿。请用 Excel 或 WPS 打开，另存为“Excel 工作簿（*.xlsx）”再上传。"
BOMB = "文件解压后大得异常（{size:.0f} MB），系统不予打开。请把数据复制到新下载的模板中再上传。"
HIDDEN_SHEET = "工作表“{name}”是隐藏的，里面有内容，系统不会读取看不见的数据。请取消隐藏后把数据移到“{data}”，或删除该工作表。"
HIDDEN_DATA = "要导入的工作表“{name}”是隐藏的。请取消隐藏，核对内容后再上传。"
SEVERAL_SHEETS = (
    "文件中没有名为“{data}”的工作表，而有内容的工作表不止一个（{names}）。请只保留一个，或改名为“{data}”。"
)
NO_SHEET = "文件中没有可读取的工作表。请重新下载模板，把数据填在“{data}”中。"
OLD_TEMPLATE = "文件用的是旧模板（{found}），现行模板是 {current}。请重新下载模板，把数据按现行标题复制过去。"
OTHER_TEMPLATE = "这是另一张表的模板（{found}），不是这里的（{current}）。请在本页下载模板填写；要导入那张表的，请到它的页面上传。"
EMPTY_TEMPLATE = "模板里还没有填写数据。请从标题行的下一行起填写，每行一条。"
TOO_MANY_ROWS = "单元格 {cell} 有内容，超出了可导入的范围（{rows} 行、{columns} 列）。请删去范围外的内容，或分成几份上传。"
NO_REFERENCES = (
    "工作表的单元格没有写明位置，不是 Excel 或 WPS 直接保存的文件。请用 Excel 或 WPS 打开后另存，再上传。"
)
FORMULAS = "单元格 {cells} 是公式。公式的结果可能随别处变动，系统只接收固定的值。请复制这些单元格，用“选择性粘贴—数值”贴回原处。"
ERROR_VALUES = "单元格 {cells} 是错误值（如 #N/A、#REF!）。请改成正确的内容再上传。"
MERGED_HEADINGS = "标题行有合并单元格（{cells}）。每列要有自己的标题：请取消合并，按模板逐列写标题。"
MERGED_CELLS = "数据区有合并单元格（{cells}），除左上角外其余各行会变成空白。请取消合并，每行都填上内容。"
NO_HEADINGS = "第一行没有找到标题。请按模板把标题放在第一行，数据从第二行开始。"
MISSING_HEADINGS = "缺少这些列：{names}。请重新下载模板，按模板的标题填写。"
EXTRA_HEADINGS = "有模板之外的列：{names}。请删除这些列，或把标题改成模板中的写法。"
REPEATED_HEADINGS = "标题重复：{names}。同一标题只能有一列，请删去多余的一列。"
UNHEADED_VALUES = "单元格 {cells} 有内容，但所在的列没有标题。请删去，或移到有标题的列。"
