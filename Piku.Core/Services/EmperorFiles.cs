using System.Text;
using Piku.Core.Formats;
using Piku.Core.Model;

namespace Piku.Core.Services;

/// <summary>Where an installation's emperor keeps its things, and its settings.</summary>
public sealed record EmperorFiles(PikuPaths Paths)
{
    /// <summary>Milliseconds by which each failed start of a vassal delays the next, and the most that they add up to.</summary>
    private const int Throttle = 500;
    private const int MaxThrottle = 5000;

    /// <summary>Bytes of a socket's path that uWSGI keeps (core/socket.c, bind_to_unix).</summary>
    private const int MaxSocketPath = 102;

    public string Config => Path.Combine(Paths.Uwsgi, "uwsgi.ini");

    public string Log => Path.Combine(Paths.Uwsgi, "uwsgi.log");

    public string ProcessIdFile => Path.Combine(Paths.Run, "emperor.pid");

    public string Socket => Path.Combine(Paths.Run, "emperor.sock");

    /// <summary>What the emperor starts in place of uwsgi where apps have users of their own.</summary>
    public string Wrapper => Path.Combine(Paths.Run, "vassal");

    /// <summary>Here uWSGI writes a vassal's token when it is up: one file each, under the vassal's name.</summary>
    public string Tokens => Path.Combine(Paths.Run, "vassals");

    public string Ini(string vassal) => Path.Combine(Paths.VassalsEnabled, vassal + ".ini");

    public string Token(string vassal) => Path.Combine(Tokens, vassal);

    /// <summary>
    /// Becomes the user of the app before uWSGI reads a word of what the app says, also in files of its own: a vassal's file
    /// is of the app's group, and of nobody else's. Commands that hold a vassal to its limits come first, as piku.
    /// </summary>
    public string WrapperScript() => $$"""
        #!/bin/sh
        # Run by uWSGI's emperor in place of uwsgi, with its arguments. Written anew by piku at each start.
        for argument do
            case $argument in *.ini) file=$argument ;; esac
        done
        cd {{ShellWords.Quote(Paths.VassalsEnabled)}} || exit 1
        user=$(stat -c %g -- "$file") || exit 1
        [ "$user" -gt 0 ] || exit 1
        vassal=${file##*/}
        limits={{ShellWords.Quote(Limits)}}/${vassal%.ini}
        [ ! -f "$limits" ] || /bin/sh "$limits"
        exec setpriv --reuid="$user" --regid="$user" --clear-groups -- uwsgi "$@"

        """;

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
        .. Paths.HasAppUsers ? [UwsgiSetting.Text("emperor-wrapper", Wrapper)] : Array.Empty<UwsgiSetting>(),
        UwsgiSetting.Text("chmod-socket", "600"),
        UwsgiSetting.Text("logto", Log),
    ]);
}
