create function carillon.attempt_rank(
        counts text, handed_in_at timestamptz, "position" bigint, score double precision
      ) returns numeric[]
      language sql immutable parallel safe
      return case counts
        when 'last' then array[extract(epoch from handed_in_at), "position"::numeric]
        when 'first' then array[-extract(epoch from handed_in_at), -"position"::numeric]
        when 'best' then array[
          coalesce(score, -1)::numeric, -extract(epoch from handed_in_at), -"position"::numeric
        ]
      end;
