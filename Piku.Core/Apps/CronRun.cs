using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Apps;

/// <summary>
/// What runs a command of cron: once in its minute. uWSGI runs what fits the present minute whenever it starts, so that
/// each restart within it would be one run more; and a schedule may become several of its lines, of which two can fit.
/// </summary>
internal static class CronRun
{
    /// <summary>Two may start at the same moment: mkdir(2) lets one of them through.</summary>
    private const string Text =
        """
        # piku writes this file anew whenever it starts.
        # Arguments: what the marks of this job begin with; its days of the month, as 1,15, or *; the command.
        day=$(date +%d)
        case "$2" in
            '*') ;;
            *) case ",$2," in *",${day#0},"*) ;; *) exit 0 ;; esac ;;
        esac
        minute=$(($(date +%s) / 60))
        mkdir "$1.$minute" 2>/dev/null || [ ! -d "$1.$minute" ] || exit 0
        for mark in "$1".*; do
            [ "${mark##*.}" -ge "$minute" ] 2>/dev/null || rmdir "$mark" 2>/dev/null
        done
        exec /bin/sh -c "$3"

        """;

    public static void Install(PikuPaths paths) => AtomicFile.Write(paths.CronRun, Text, AtomicFile.Readable);
}
