using System.Text;
using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Core.Workers;

namespace Piku.Core.Services;

/// <summary>Where an installation's emperor keeps its things, and its settings.</summary>
public sealed record EmperorFiles(PikuPaths Paths)
{
    /// <summary>Milliseconds by which each failed start of a vassal delays the next, and the most that they add up to.</summary>
    private const int Throttle = 500;
    private const int MaxThrottle = 5000;

    /// <summary>Seconds until the emperor kills a vassal that does not end; no PIKU_STOP_TIMEOUT is longer.</summary>
    private const int StopTolerance = 3660;

    /// <summary>Bytes of a socket's path that uWSGI keeps (core/socket.c, bind_to_unix).</summary>
    private const int MaxSocketPath = 102;

    public string Config => Path.Combine(Paths.Uwsgi, "uwsgi.ini");

    public string Log => Path.Combine(Paths.Uwsgi, "uwsgi.log");

    public string ProcessIdFile => Path.Combine(Paths.Run, "emperor.pid");

    public string Socket => Path.Combine(Paths.Run, "emperor.sock");

    /// <summary>What the emperor starts in place of uwsgi.</summary>
    public string Wrapper => Path.Combine(Paths.Run, "vassal");

    /// <summary>Here uWSGI writes a vassal's token when it is up: one file each, under the vassal's name.</summary>
    public string Tokens => Path.Combine(Paths.Run, "vassals");

    public string Ini(string vassal) => Path.Combine(Paths.VassalsEnabled, vassal + ".ini");

    public string Token(string vassal) => Path.Combine(Tokens, vassal);

    /// <summary>
    /// Makes a pipe of the vassal's output, whose reader keeps the log and ends when nobody can write any more. Where apps have
    /// users of their own, it becomes the app's before uWSGI reads a word of what the app says, also in files of its own: a
    /// vassal's file is of the app's group, and of nobody else's. Commands that hold a vassal to its limits come first, as piku.
    /// </summary>
    /// <remarks>
    /// The pipe has a name for a moment, and so the rights of a file, because programs open /dev/stderr. It is open for reading
    /// before it is written to, and none of this waits. The reader has left the vassal, which would take it for its command,
    /// and hears no signal that ends one. split(1) gives each program that it starts whole lines, of no more bytes than a log may
    /// have; the first goes on with the log that is there. While the log cannot be written, because the disk is full, lines are
    /// lost, a second's at a time: a worker whose reader has gone ends, and one whose reader waits stands still.
    /// </remarks>
    public string WrapperScript() => $$"""
        #!/bin/sh
        # Run by uWSGI's emperor in place of uwsgi, with its arguments. Written anew by piku at each start.
        for argument do
            case $argument in *.ini) file=$argument ;; esac
        done
        cd {{ShellWords.Quote(Paths.VassalsEnabled)}} || exit 1
        vassal=${file##*/}
        vassal=${vassal%.ini}
        become=
        {{(Paths.HasAppUsers ? BecomeUser() : "")}}
        log=
        while IFS= read -r line; do
            case $line in '{{LogPipe.Line}}'*) log=${line#*=*=}; break ;; esac
        done < "$file"
        pipe={{ShellWords.Quote(Pipes)}}/$vassal.$$
        if [ "$log" ] && mkdir -p -m 700 {{ShellWords.Quote(Pipes)}} && rm -f "$pipe" && mkfifo -m 666 "$pipe" && exec 3<> "$pipe" 4< "$pipe"; then
            (
                trap '' HUP INT TERM
                umask 027
                export MOST="${log%% *}" LOG={{ShellWords.Quote(Paths.Logs)}}/"${log#* }"
                $become split --line-bytes="$MOST" --suffix-length=9 --filter='case $FILE in *[!a]*) false ;; *) [ "$(stat -c %s "$LOG" || echo 0)" -lt "$MOST" ] ;; esac || mv -f "$LOG" "$LOG{{LogPipe.Full}}"; until cat >> "$LOG"; do timeout -s KILL 1 cat > /dev/null && exit; done; exit 0' - '' <&4 > /dev/null 2>&1 3>&- 4<&- &
            )
            exec > "$pipe" 2>&1 3>&- 4<&-
            rm -f "$pipe"
        fi
        exec $become uwsgi "$@"

        """;

    private string BecomeUser() => $$"""
        user=$(stat -c %g -- "$file") || exit 1
        [ "$user" -gt 0 ] || exit 1
        limits={{ShellWords.Quote(Limits)}}/$vassal
        [ ! -f "$limits" ] || /bin/sh "$limits"
        become="setpriv --reuid=$user --regid=$user --clear-groups --"
        """;

    /// <summary>Where the pipes have their names for a moment.</summary>
    private string Pipes => Path.Combine(Paths.Run, "pipes");

    /// <summary>What the wrapper runs as piku before a vassal starts: one file each, under the vassal's name.</summary>
    public string Limits => Path.Combine(Paths.Run, "limits");

    public string LimitScript(string vassal) => Path.Combine(Limits, vassal);

    /// <summary>Says what uWSGI cannot do with this root, before it fails in its own words.</summary>
    /// <exception cref="UserError">A blank in the path, which ends a hook's argument, or too long a path for a socket.</exception>
    public void Check()
    {
        if (Paths.Root.Any(char.IsWhiteSpace))
            throw new UserError($"'{Paths.Root}' has a blank in it, which uWSGI cannot handle: set PIKU_ROOT to another folder.");
        if (Encoding.UTF8.GetByteCount(Socket) > MaxSocketPath)
            throw new UserError($"'{Paths.Root}' is too long for the socket in it: set PIKU_ROOT to a folder with a shorter path.");
    }

    /// <summary>
    /// The emperor's own ini file, the same under systemd and under the daemon. The throttle is short: a vassal that
    /// never serves a request (a command, cron) counts as failed whenever it ends, and would wait ever longer.
    /// </summary>
    public string Settings() => UwsgiIni.Write(
    [
        UwsgiSetting.Text("emperor", Paths.VassalsEnabled),
        UwsgiSetting.Text("emperor-stats", Socket),
        UwsgiSetting.Text("emperor-pidfile", ProcessIdFile),
        UwsgiSetting.Text("emperor-throttle", $"{Throttle}"),
        UwsgiSetting.Text("emperor-max-throttle", $"{MaxThrottle}"),
        UwsgiSetting.Text("emperor-wrapper", Wrapper),
        UwsgiSetting.Text("emperor-curse-tolerance", $"{StopTolerance}"),
        UwsgiSetting.Text("chmod-socket", "600"),
        UwsgiSetting.Text("logto", Log),
    ]);
}
