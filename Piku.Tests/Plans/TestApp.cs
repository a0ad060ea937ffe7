using System.Collections.Frozen;
using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Core.Runtimes;

namespace Piku.Tests.Plans;

/// <summary>Facts of an app that a test describes by its files, on Debian with everything installed.</summary>
internal static class TestApp
{
    public static DeployFacts With(string procfile, string env = "", params string[] entries) => new()
    {
        App = AppName.Parse("blog"),
        Paths = new PikuPaths("/home/piku/.piku"),
        Host = new HostFacts
        {
            User = "piku",
            Group = "www-data",
            Home = "/home/piku",
            SystemPath = "/usr/bin:/bin",
            Tools = RuntimeTable.ToolNames,
            UwsgiPlugins = ["python3", "python311", "php", "http", "jvm_openjdk17", "jwsgi_openjdk17", "rack_ruby31", "greenlet_python3", "asyncio_python3"],
            NginxVersion = new Version(1, 22, 1),
            NginxHasHttp2 = true,
        },
        Procfile = Procfile.Parse(procfile),
        RepositoryEnv = EnvFile.Parse(env, "ENV"),
        AppEntries = entries.ToFrozenSet(),
        FreePorts = [50000, 50001, 50002, 50003],
    };
}
