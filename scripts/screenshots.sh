#!/usr/bin/env bash
# Takes the pictures of docs/images again: the pages as a test shows them to Chromium, on a desktop and a phone, light and dark.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib/packages.sh
source "$root/scripts/lib/packages.sh"
need chromium=chromium pngquant=pngquant \
    /usr/share/fonts/opentype/inter/Inter-Regular.otf=fonts-inter \
    /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc=fonts-noto-cjk

dotnet build "$root/HeartGrains.sln" -c Release -nologo -v quiet -p:RunAnalyzers=false
HEARTGRAINS_SCREENSHOTS=$root/docs/images dotnet run --project "$root/Tests" -c Release --no-build -- -noColor -class '*.PageLooksTests'
pngquant --force --skip-if-larger --strip --ext .png --quality 50-95 "$root"/docs/images/{home,demo}*.png
