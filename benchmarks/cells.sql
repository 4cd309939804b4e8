SELECT organization_id, period_id, id,
       CASE WHEN outcome = 'on_time' THEN 'o'
            WHEN outcome = 'late' THEN 'l'
            WHEN outcome = 'missed' AND excused_at IS NOT NULL THEN 'x'
            WHEN outcome = 'missed' AND filled_at IS NOT NULL THEN 'f'
            WHEN outcome = 'missed' THEN 'm'
            WHEN outcome = 'exempt' THEN 'e'
            ELSE 'p' END
FROM obligations_obligation
WHERE kind = 'weekly_report' AND period_id = ANY(%s)
