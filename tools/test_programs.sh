#!/bin/sh
# Install the programs that some tests talk to, where that is possible without asking; those tests skip otherwise.
missing=""
command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing="$missing chromium"
command -v ffprobe >/dev/null || missing="$missing ffmpeg"
command -v flite >/dev/null || missing="$missing flite"
ls /usr/lib*/nginx/modules/ngx_rtmp_module.so >/dev/null 2>&1 || missing="$missing nginx-light libnginx-mod-rtmp"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing$missing"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } \
        >/dev/null 2>&1 || echo "could not install$missing; the tests that need them will skip"
else
    echo "for all tests, install$missing first (for example: sudo apt-get install$missing)"
fi
