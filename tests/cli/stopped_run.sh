# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
# stopped_run.sh SIGNAL RESULTS: a run that is sent a signal when it has done twenty trials. What it
# says on stderr, and its exit code.
tilestrike run s.yaml --set trials=1000000 --out "$2" > log 2> err &
until [ "$($SHOW sql "$2" 'SELECT COUNT(*) >= 20 FROM trials_wide' 2> /dev/null)" = 1 ]; do
  sleep 0.05
done
kill -$1 $!
wait $!
code=$?
cat err
exit $code
