# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
# rebuild_own_rtl.sh FROM TO: the own engine with another edge at which activations enter.
sed -i "/case Register::kActivation:/{n;s/enters + r + $1/enters + r + $2/}" own/own_mesh.cpp
cmake --build built > log 2>&1 || cat log
