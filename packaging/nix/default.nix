# nix-build packaging/nix, in the unpacked tarball of `make dist`, which has all modules.
# On NixOS the module that uses it puts conf.d and the domains' files into /etc.
{
  pkgs ? import <nixpkgs> { },
}:
pkgs.stdenv.mkDerivation {
  pname = "rdgen";
  version = pkgs.lib.fileContents ../../VERSION;
  src = ../..;
  nativeBuildInputs = [ pkgs.go ];
  # $out is known when it is built, and is the home of every path.
  makeFlags = [
    "PREFIX=${placeholder "out"}"
    "SBINDIR=${placeholder "out"}/bin"
    "SYSCONFDIR=${placeholder "out"}/etc"
    "SYSTEMCTL=${pkgs.systemd}/bin/systemctl"
  ];
  preBuild = "export GOCACHE=$TMPDIR/go GOFLAGS=-mod=vendor";
  buildFlags = [ "build" ];
  meta = {
    description = "Routing domains (VRF, network namespace) for services";
    license = with pkgs.lib.licenses; [ isc asl20 bsd3 mit ];
    platforms = pkgs.lib.platforms.linux;
    mainProgram = "rdgen";
  };
}
