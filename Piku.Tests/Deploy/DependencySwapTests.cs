using Piku.Core.Apps;
using Piku.Core.Deploy;
using Piku.Core.Git;
using Piku.Core.Model;
using Piku.Core.Services;

namespace Piku.Tests.Deploy;

/// <summary>Kept dependencies take the place of those in use by renames; a crash between any two is put right.</summary>
public sealed class DependencySwapTests : IDisposable
{
    private readonly TemporaryFolder _root = new();
    private readonly PikuPaths _paths;
    private readonly AppName _app = AppName.Parse("foo");
    private readonly KeptDependencies _kept;
    private readonly string _old;
    private readonly string _new;

    /// <summary>The first dependencies are kept, the second are in use.</summary>
    public DependencySwapTests()
    {
        _paths = new(_root.Path);
        _kept = new(_paths, _app);
        _old = Install("one");
        _kept.Put(_old, _paths.Env(_app), _paths.DependencyHashes(_app));
        _new = Install("two");
    }

    private string Library => Path.Combine(_paths.Env(_app), "library");

    private string Checkpoints => Path.Combine(_paths.AppState(_app), "checkpoint");

    public void Dispose() => _root.Dispose();

    [Fact]
    public void What_is_kept_has_no_settings_and_what_is_in_use_keeps_them()
    {
        Assert.Equal(["library"], Directory.EnumerateFiles(_kept.EnvOf(_old)).Select(Path.GetFileName));
        var checkpoint = Take();
        Assert.True(checkpoint.SwapIn(_old));
        Assert.Equal("one", File.ReadAllText(Library));
        Assert.Equal("SETTING=two\n", File.ReadAllText(_paths.EnvFile(_app)));
        Assert.Equal(_old, new DependencyHashes(_paths, _app).Id);

        checkpoint.Done();
        Assert.True(_kept.Has(_new));
        Assert.False(_kept.Has(_old));
        Assert.False(Directory.Exists(Checkpoints));
    }

    [Fact]
    public void A_swap_that_is_undone_keeps_both()
    {
        Take().SwapIn(_old);
        Undo();
        AssertAsBefore();
    }

    [Fact]
    public void A_crash_between_the_renames_of_a_swap_is_put_right()
    {
        Take().SwapIn(_old);
        Directory.Move(_paths.Env(_app), _kept.EnvOf(_old));
        Undo();
        AssertAsBefore();
    }

    [Fact]
    public void A_crash_before_the_first_rename_changes_nothing()
    {
        Take().SwapIn(_old);
        Directory.Move(_paths.Env(_app), _kept.EnvOf(_old));
        Directory.Move(Path.Combine(Checkpoints, "env"), _paths.Env(_app));
        Undo();
        AssertAsBefore();
    }

    /// <summary>The new dependencies went back to where they are kept, and the machine went down.</summary>
    [Fact]
    public void A_crash_while_it_is_put_right_is_put_right()
    {
        Take().SwapIn(_old);
        _kept.Put(_old, _paths.Env(_app), _kept.HashesOf(_old));
        Undo();
        AssertAsBefore();
    }

    [Fact]
    public void Dependencies_that_no_near_release_needs_go()
    {
        var releases = new[] { _new, "x", "y", _old }.Select((id, i) => new Release(9 - i, "push", "main", "c", "ada", default) { Dependencies = id }).ToList();
        _kept.Prune([.. releases[..2], releases[0], releases[3]]);
        Assert.True(_kept.Has(_old));
        _kept.Prune(releases);
        Assert.Empty(Directory.EnumerateDirectories(_paths.KeptDependencies(_app)));
    }

    private string Install(string library)
    {
        Directory.CreateDirectory(_paths.Env(_app));
        File.WriteAllText(Library, library);
        File.WriteAllText(_paths.EnvFile(_app), $"SETTING={library}\n");
        var hashes = new DependencyHashes(_paths, _app);
        hashes.Remember("pip", library);
        return hashes.Id!;
    }

    private Checkpoint Take() => Checkpoint.Take(
        _paths, new VassalStore(_paths, new Emperor(_paths, TimeProvider.System)), _app, new(null, new DeployTarget("main", "c"), IsPush: false, Vassals: null), new TreeSize(0, 0));

    private void Undo()
    {
        var left = Checkpoint.Left(_paths, _app)!;
        left.RestoreFiles();
        left.Discard();
    }

    private void AssertAsBefore()
    {
        Assert.Equal("two", File.ReadAllText(Library));
        Assert.Equal("SETTING=two\n", File.ReadAllText(_paths.EnvFile(_app)));
        Assert.Equal(_new, new DependencyHashes(_paths, _app).Id);
        Assert.True(_kept.Has(_old));
        Assert.Equal("one", File.ReadAllText(Path.Combine(_kept.EnvOf(_old), "library")));
        Assert.False(_kept.Has(_new));
    }
}
