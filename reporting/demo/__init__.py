"""The demonstration province: Shanxi's cities in autumn 2020, everything else invented.

Every organisation made here is marked `is_demonstration`, named 演示 and coded DEMO…; it has an office
and bureaux of its own, so that nothing invented is ever said of a real one. The year's weeks are played
through the same services and sweep that run the portal; only the reports are written in bulk.
"""
