using Piku.Core.Machine;
using Piku.Core.Services;
using Piku.Core.Workers;

namespace Piku.Tests.Services;

/// <summary>What becomes of a worker's words on their way from the pipe to its log; a script stands in for uWSGI.</summary>
public sealed class LogPipeTests
{
    /// <summary>Says numbered lines until it is told to end, and how far it is.</summary>
    private const string Talker = """
        #!/bin/sh
        n=0
        while [ ! -e "$ROOT/enough" ]; do
            n=$((n + 1))
            echo "line $n of a worker that talks and talks"
            echo "$n" > "$ROOT/said"
            sleep 0.01
        done
        """;

    [Fact]
    public async Task A_worker_talks_on_while_its_log_cannot_be_written_and_is_heard_again_afterwards()
    {
        await using var piku = new Installation();
        var files = new EmperorFiles(piku.Paths);
        var log = Path.Combine(piku.Paths.Logs, "blog", "web.1.log");
        File.WriteAllText(files.Ini("blog_web.1"), $"{LogPipe.Line}400 blog/web.1.log\n");
        AtomicFile.Write(files.Wrapper, files.WrapperScript(), AtomicFile.Executable);
        var programs = Directory.CreateDirectory(Path.Combine(piku.Paths.Root, "programs")).FullName;
        AtomicFile.Write(Path.Combine(programs, "uwsgi"), Talker, AtomicFile.Executable);
        await using var worker = await ChildProcess.StartAsync(new()
        {
            Program = files.Wrapper,
            Arguments = ["--ini", "blog_web.1.ini"],
            Folder = "/",
            Environment = Installation.ToolEnvironment.With("PATH", $"{programs}:/usr/bin:/bin").With("ROOT", piku.Paths.Root),
        });

        await Eventually.TrueAsync(() => Said() >= 100);
        Assert.False(worker.Exit.IsCompleted);

        // Its folder was not there.
        Directory.CreateDirectory(Path.GetDirectoryName(log)!);
        await Eventually.TrueAsync(() => Lines(log + ".old").Length > 0 && Lines(log).Length > 0);
        File.WriteAllText(Path.Combine(piku.Paths.Root, "enough"), "");
        Assert.True((await worker.Exit).Succeeded);
        await Eventually.TrueAsync(() => Lines(log) is [.., var last] && last.StartsWith($"line {Said()} of ", StringComparison.Ordinal));
        Assert.All([log, log + ".old"], file => Assert.InRange(new FileInfo(file).Length, 1, 400));

        int Said() => int.TryParse(AtomicFile.ReadIfExists(Path.Combine(piku.Paths.Root, "said")), out var said) ? said : 0;

        static string[] Lines(string file) => File.Exists(file) ? File.ReadAllLines(file) : [];
    }
}
