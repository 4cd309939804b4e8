WITH page AS MATERIALIZED (
    SELECT i.id FROM schools_applicationitem i
    JOIN schools_application ap ON ap.id = i.application_id
    JOIN accounts_organization o ON o.id = ap.school_id
    WHERE ap.round_id = %(round)s AND i.state = 'first_reviewed'
    ORDER BY o.code, i.id
    LIMIT 50
)
SELECT i.id, o.name, o.code, s.name, c.name, cl.level, i.planned_new + i.carried_over, a.fee, i.trainers, i.state,
       v.received_at, p.candidates, m.names, r.owed, r.filed, e.since
FROM page
JOIN schools_applicationitem i ON i.id = page.id
JOIN schools_application ap ON ap.id = i.application_id
JOIN schools_applicationround ro ON ro.id = ap.round_id
JOIN accounts_organization o ON o.id = ap.school_id
JOIN accounts_organization s ON s.id = o.supervisor_id
JOIN certificates_certificatelevel cl ON cl.id = i.certificate_level_id
JOIN certificates_certificate c ON c.id = cl.certificate_id
LEFT JOIN schools_agreement a ON a.id = i.agreement_id
LEFT JOIN schools_applicationversion v ON v.id = ap.current_id
LEFT JOIN LATERAL (
    SELECT plan.candidates FROM schools_annualplan plan JOIN schools_programme g ON g.id = plan.programme_id
    WHERE g.school_id = ap.school_id AND g.certificate_level_id = i.certificate_level_id AND plan.year = ro.year - 1
    ORDER BY g.started_at DESC LIMIT 1
) p ON true
LEFT JOIN LATERAL (
    SELECT string_agg(name, '、' ORDER BY code) AS names FROM schools_itemmajor WHERE item_id = i.id
) m ON true
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE outcome <> 'exempt') AS owed,
           count(*) FILTER (WHERE outcome IN ('on_time', 'late')) AS filed
    FROM obligations_obligation
    WHERE organization_id = ap.school_id AND kind = 'weekly_report' AND due_at >= %(first)s AND due_at <= %(now)s
) r ON true
LEFT JOIN LATERAL (
    SELECT max(at) AS since FROM core_event
    WHERE target_type_id = %(type)s AND target_id = i.id::text AND to_state = i.state
) e ON true
ORDER BY o.code, i.id
