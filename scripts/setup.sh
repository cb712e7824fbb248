# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
# Set-up that ./quickstart and ./run-tests share: Debian packages, and the Python environment .venv
# with LibTorch in it. To be sourced by bash in the root of the checkout; then call `set_up`.
#
# Environment:
#   TILESTRIKE_LIBTORCH     folder of an installed LibTorch (2.9 or later, CPU or CUDA) to use
#                           instead of the torch wheel; CMAKE_PREFIX_PATH may name it as well
#   TILESTRIKE_TORCH_INDEX  package index (URL) of the torch wheel, for one that holds CPU builds
#                           only: without it, an ordinary machine gets the larger CUDA build
#   PYTHON                  Python 3.10 or later for .venv (default: the first of python3 on PATH
#                           and /usr/bin/python3 that can make virtual environments)

DEBIAN_PACKAGES=(
  build-essential cmake ninja-build ccache pkg-config git python3 python3-venv
  libsystemc-dev libyaml-cpp-dev libfmt-dev libsqlitecpp-dev libsqlite3-dev libcli11-dev
  nlohmann-json3-dev libboost-dev libboost-math-dev librandom123-dev libxxhash-dev zlib1g-dev
  libhdf5-dev libgtest-dev libbenchmark-dev clang-format-14 verilator yosys dataset-fashion-mnist
)
VENV_PYTHON=.venv/bin/python
VENV_STAMP=.venv/tilestrike-complete

say() { printf '%s\n' "==> $*" >&2; }

# give_up WHAT CURE: ends with the exit code of "the machine failed us".
give_up() {
  printf '%s\n' "error: $1; $2" >&2
  exit 3
}

missing_packages() {
  local package
  for package in "${DEBIAN_PACKAGES[@]}"; do
    if [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
      printf '%s\n' "$package"
    fi
  done
}

install_packages() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    say "no apt-get here, so nothing is installed; CMake will name what is missing." \
        "As Debian packages: ${DEBIAN_PACKAGES[*]}"
    return
  fi
  local missing as_root=()
  mapfile -t missing < <(missing_packages)
  if ((${#missing[@]} == 0)); then
    return
  fi
  local by_hand="run, as root: apt-get update && apt-get install ${missing[*]}"
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      give_up "these Debian packages are missing: ${missing[*]}" "$by_hand"
    as_root=(sudo)
  fi
  say "installing Debian packages: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq ||
    give_up "apt-get update failed" "check the network and /etc/apt, then try again"
  # One that does not exist fails the whole call, so find out which.
  local package
  for package in "${missing[@]}"; do
    apt-cache show "$package" >/dev/null 2>&1 ||
      give_up "apt-get does not know the Debian package $package" \
              "TileStrike is made for Debian 12; elsewhere install what it holds by hand"
  done
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
    --no-install-recommends "${missing[@]}" >&2 ||
    give_up "apt-get could not install: ${missing[*]}" "$by_hand, and see what it says"
}

# Whether an installed LibTorch is named, so that no torch wheel is needed.
has_own_libtorch() {
  local prefix
  local prefixes=()
  IFS=: read -r -a prefixes <<<"${CMAKE_PREFIX_PATH:-}"
  for prefix in "${TILESTRIKE_LIBTORCH:-}" "${prefixes[@]}"; do
    if [[ -n $prefix && ( -e $prefix/include/ATen/core/Tensor.h ||
                          -e $prefix/../../include/ATen/core/Tensor.h ) ]]; then
      return 0
    fi
  done
  [[ -z ${TILESTRIKE_LIBTORCH:-} ]] ||
    give_up "TILESTRIKE_LIBTORCH=$TILESTRIKE_LIBTORCH holds no include/ATen" \
            "name the folder of LibTorch that holds include/ and lib/"
  return 1
}

# A Python that can make virtual environments.
find_python() {
  local candidate
  for candidate in ${PYTHON:-python3 /usr/bin/python3}; do
    if "$candidate" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 10))' \
        >/dev/null 2>&1; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  give_up "no Python 3.10 or later with ensurepip and venv was found" \
          "install the Debian package python3-venv, or name one in the variable PYTHON"
}

# What .venv must hold, one requirement per line.
requirements() {
  if has_own_libtorch; then
    grep -v '^torch' python/requirements.txt
  else
    cat python/requirements.txt
  fi
}

# Whether all required packages can be imported: slow, but finds half-installed ones.
venv_imports() {
  local modules
  modules=$(requirements | sed 's/[^a-z0-9_].*//' | paste -sd,)
  "$VENV_PYTHON" -c "import $modules" >/dev/null 2>&1
}

# The stamp names what was installed and where: an environment does not survive being moved.
venv_identity() {
  printf '%s\n' "$PWD" "${TILESTRIKE_TORCH_INDEX:-}"
  requirements
}

make_python_environment() {
  local wanted python
  has_own_libtorch || true  # ends here when TILESTRIKE_LIBTORCH is wrong
  wanted=$(venv_identity)
  if [[ -f $VENV_STAMP && $(<"$VENV_STAMP") == "$wanted" ]] && "$VENV_PYTHON" -c '' 2>/dev/null
  then
    return
  fi
  if ! "$VENV_PYTHON" -m pip --version >/dev/null 2>&1; then
    python=$(find_python)
    say "making the Python environment .venv with $python"
    "$python" -m venv --clear .venv ||
      give_up "the Python environment .venv could not be made" "remove .venv and try again"
  fi
  say "installing into .venv: $(requirements | paste -sd' ')"
  local pip=("$VENV_PYTHON" -m pip install --quiet --disable-pip-version-check)
  local torch
  torch=$(requirements | grep '^torch' || true)
  if [[ -n $torch && -n ${TILESTRIKE_TORCH_INDEX:-} ]]; then
    "${pip[@]}" --index-url "$TILESTRIKE_TORCH_INDEX" "$torch" >&2 ||
      give_up "pip could not install $torch from TILESTRIKE_TORCH_INDEX" "check the URL"
  fi
  requirements >.venv/requirements.txt
  "${pip[@]}" -r .venv/requirements.txt >&2 ||
    give_up "pip could not install $(requirements | paste -sd' ')" \
            "check the network and the free disk space, or name an installed LibTorch in \
TILESTRIKE_LIBTORCH"
  if ! venv_imports; then
    say "something in .venv is damaged; installing it again"
    "${pip[@]}" --force-reinstall -r .venv/requirements.txt >&2 && venv_imports ||
      give_up "the packages in .venv cannot be imported" "remove .venv and try again"
  fi
  printf '%s\n' "$wanted" >"$VENV_STAMP"
}

# How many compilers to run at once: one per core, but no more than fit in memory, at 2 GiB each.
build_jobs() {
  local cores memory
  cores=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)  # which it would take for cores
  memory=$(awk '/^MemAvailable:/ { print int($2 / 2097152) }' /proc/meminfo)
  printf '%s\n' "$((memory < 1 ? 1 : memory < cores ? memory : cores))"
}

set_up() {
  install_packages
  make_python_environment
}
