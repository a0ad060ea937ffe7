using Piku.Core.Apps;
using Piku.Core.Deploy;
using Piku.Core.Git;
using Piku.Core.Model;
using Piku.Core.Services;
using Piku.Tests.EndToEnd;

namespace Piku.Tests.Deploy;

/// <summary>What a build has made inside the app's folder, when the next one fails.</summary>
public sealed class KeptOutputsTests : IDisposable
{
    private static readonly EnvMap Environment = EnvMap.Empty.With("PATH", Programs.SearchPath);

    private readonly TemporaryFolder _root = new();
    private readonly PikuPaths _paths;
    private readonly AppName _app = AppName.Parse("foo");

    public KeptOutputsTests()
    {
        _paths = new(_root.Path);
        Write("target/app.jar", "old");
        Write("target/deep/class", "old");
        Write("data", "the app's own");
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Is_put_back_as_it_was_whether_the_build_removes_it_or_replaces_it(bool clean)
    {
        var checkpoint = Take();
        await checkpoint.KeepOutputsAsync([At("target"), At("never-made")], Environment, Cancelled);
        if (clean)
            Directory.Delete(At("target"), recursive: true);
        else
            File.Delete(At("target/app.jar"));
        Write("target/app.jar", "new");
        Write("target/more", "new");
        Write("data", "the app's own, later");

        Checkpoint.Left(_paths, _app)!.RestoreFiles();

        Assert.Equal(("old", "old"), (Read("target/app.jar"), Read("target/deep/class")));
        Assert.False(File.Exists(At("target/more")));
        Assert.Equal("the app's own, later", Read("data"));
    }

    [Fact]
    public async Task Is_put_back_when_the_way_back_is_taken_twice()
    {
        await Take().KeepOutputsAsync([At("target")], Environment, Cancelled);
        Directory.Delete(At("target"), recursive: true);

        Checkpoint.Left(_paths, _app)!.RestoreFiles();
        Checkpoint.Left(_paths, _app)!.RestoreFiles();

        Assert.Equal("old", Read("target/app.jar"));
    }

    private Checkpoint Take() => Checkpoint.Take(
        _paths, new VassalStore(_paths, new Emperor(_paths, TimeProvider.System)), _app, new(null, new DeployTarget("main", "c"), IsPush: false, Vassals: null), new TreeSize(0, 0));

    private void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
        File.WriteAllText(At(path), text);
    }

    private string Read(string path) => File.ReadAllText(At(path));

    private string At(string path) => Path.Combine(_paths.App(_app), path);
}
