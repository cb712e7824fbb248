# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
# same_rows.sh SCENARIO "ENGINE..." [ARGUMENT...]: runs a scenario on each engine, to ENGINE.sqlite,
# its summary to ENGINE.txt. Fails where a run does, and where the rows of two differ in more than
# what an engine says of itself.
scenario=$1 engines=$2
shift 2
for engine in $engines; do
  tilestrike run "$scenario" --set engine=$engine "$@" --out $engine.sqlite > $engine.txt || exit 1
  $PYTHON "$HERE/make_inputs.py" trials $engine.sqlite engine passes_simulated audit > $engine.rows
  cmp ${engines%% *}.rows $engine.rows || exit 1
done
