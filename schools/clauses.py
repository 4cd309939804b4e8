"""The documents that the rules of applications quote."""

MOE = "教职成厅函〔2019〕19号"
HB = "鄂教职成办函〔2021〕7号"
SX = "晋教职成〔2020〕9号"
NO_TECHNICAL = f"{HB} 二；{SX} 三.1：中等职业学校（不含技工学校）"
