# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
# Of the trials of r.sqlite those whose outcome their stratum does not allow, in five ways; last,
# whether there are four strata or more.
$SHOW sql r.sqlite '
  SELECT SUM(stratum LIKE "%right" AND outcome IN ("sdc", "nonfinite", "due")),
         SUM(stratum LIKE "%silent" AND outcome = "due"),
         SUM(stratum LIKE "%detected" AND outcome IN ("sdc", "nonfinite")),
         SUM(outcome = "due" AND sdc_1),
         SUM(detected > 0 AND outcome <> "due"),
         COUNT(DISTINCT stratum) >= 4
  FROM trials_wide'
