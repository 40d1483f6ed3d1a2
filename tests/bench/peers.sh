#!/usr/bin/env bash
# Builds the runtimes that wharf is measured beside into $WHARF_PEERS, from the Go module proxy: containerd 2.3.4 with its
# shim and ctr, and runc 1.4.3 (with seccomp, as `.ci/run` does: needs libseccomp's headers). crun is the machine's.
set -euo pipefail
peers=${WHARF_PEERS:-$HOME/.cache/wharf-peers}
scratch=$(mktemp -d); trap 'rm -rf "$scratch"' EXIT
export GOFLAGS=-mod=mod

# module, version, its packages; sources that are not imported by any of ours are found by a file that names them.
fetch() {
  local module=$1 version=$2; shift 2
  mkdir -p "$scratch/m" && cd "$scratch/m" && rm -f ./*
  printf 'module peers\ngo 1.26\nrequire %s %s\n' "$module" "$version" > go.mod
  { printf '//go:build tools\npackage peers\n'; printf 'import _ "%s"\n' "$@"; } > tools.go
}

containerd=github.com/containerd/containerd/v2
programs=(containerd containerd-shim-runc-v2 ctr)
fetch $containerd v2.3.4 "${programs[@]/#/$containerd/cmd/}"
mkdir -p "$peers/containerd-2.3.4"
for name in "${programs[@]}"; do
  go build -ldflags "-s -w -X $containerd/version.Version=v2.3.4" -o "$peers/containerd-2.3.4/$name" "$containerd/cmd/$name"
done

fetch github.com/opencontainers/runc v1.4.3 github.com/opencontainers/runc
go build -tags seccomp -ldflags '-s -w -X main.version=1.4.3' -o "$peers/runc-1.4.3" github.com/opencontainers/runc
