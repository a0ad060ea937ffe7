namespace Piku.Core.Settings;

/// <summary>What becomes options of the app's uWSGI vassals.</summary>
public static class UwsgiSettings
{
    public static readonly Setting<int> MaxRequests = new("UWSGI_MAX_REQUESTS", ValueFormats.Number(0, int.MaxValue),
        "Requests after which a process is replaced; 0 never.")
    { Default = "1024" };

    public static readonly Setting<int> Listen = new("UWSGI_LISTEN", ValueFormats.Number(1, 65535),
        "Length of the queue of waiting connections (listen backlog); where the system allows fewer (/proc/sys/net/core/somaxconn), as many as that.")
    { Default = "48" };

    public static readonly Setting<int> Processes = new("UWSGI_PROCESSES", ValueFormats.Number(1, 1000),
        "Processes that serve requests, for each count of `ps:scale`.")
    { Default = "2" };

    public static readonly Setting<int> Threads = new("UWSGI_THREADS", ValueFormats.Number(1, 10000),
        "Threads of each process of wsgi, jwsgi and rwsgi.")
    { Default = "4" };

    public static readonly Setting<bool> EnableThreads = new("UWSGI_ENABLE_THREADS", ValueFormats.Boolean,
        "Let a Python app start threads of its own.")
    { Default = "true" };

    public static readonly Setting<int> LogMaxSize = new("UWSGI_LOG_MAXSIZE", ValueFormats.Number(1, int.MaxValue),
        "Bytes after which a log is renamed to `.old` and begun anew.")
    { Default = "1048576" };

    public static readonly Setting<bool> LogForwardedFor = new("UWSGI_LOG_X_FORWARDED_FOR", ValueFormats.Boolean,
        "Log the address in X-Forwarded-For as the client's.")
    { Default = "false" };

    public static readonly Setting<int> Gevent = new("UWSGI_GEVENT", ValueFormats.Number(1, 100000),
        "Serve a Python 2 app with this many gevent greenlets.");

    public static readonly Setting<int> Asyncio = new("UWSGI_ASYNCIO", ValueFormats.Number(1, 100000),
        "Serve a wsgi app with this many asynchronous cores, by uWSGI's asyncio plugin; the app's requirements must have greenlet.")
    { IsForgiving = true };

    public static readonly Setting<int> Idle = new("UWSGI_IDLE", ValueFormats.Number(1, int.MaxValue),
        "Start the app's processes at the first request, and end them after this many seconds without one; the first after that may have to be repeated.")
    { IsForgiving = true };

    public static readonly Setting<string> IncludeFile = new("UWSGI_INCLUDE_FILE", ValueFormats.RelativeFile,
        "A file in the app with more uWSGI options, `option = value` a line; `$NAME` stands for a variable of the app.");

    public static readonly Setting[] All =
    [
        MaxRequests, Listen, Processes, Threads, EnableThreads, LogMaxSize, LogForwardedFor, Gevent, Asyncio, Idle, IncludeFile,
    ];
}
