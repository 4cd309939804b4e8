SELECT coalesce(p.city, s.city), coalesce(p.certificate, s.certificate), coalesce(p.schools, 0),
       coalesce(p.planned, 0), coalesce(s.sites, 0), coalesce(s.places, 0),
       (p.schools IS NOT NULL AND s.sites IS NULL)::int
FROM (
    SELECT o.city_id AS city, l.certificate_id AS certificate, count(DISTINCT g.school_id) AS schools,
           sum(plan.candidates) AS planned
    FROM schools_programme g
    JOIN accounts_organization o ON o.id = g.school_id
    JOIN certificates_certificatelevel l ON l.id = g.certificate_level_id
    LEFT JOIN schools_annualplan plan ON plan.programme_id = g.id AND plan.year = %(year)s
    WHERE g.started_at <= %(now)s AND (g.ended_at IS NULL OR g.ended_at > %(now)s)
    GROUP BY 1, 2
) p
FULL JOIN (
    SELECT city_id AS city, certificate_id AS certificate, count(*) AS sites, sum(places) AS places
    FROM evaluators_examsite WHERE state = 'filed' GROUP BY 1, 2
) s ON s.city = p.city AND s.certificate = p.certificate
