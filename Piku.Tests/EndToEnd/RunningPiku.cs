namespace Piku.Tests.EndToEnd;

/// <summary>One running piku for the tests of a class; each uses apps of its own name.</summary>
public class RunningPiku : IAsyncLifetime
{
    private PikuInstance? _piku;
    private Browser? _browser;

    public PikuInstance Piku => _piku!;

    public Browser Browser => _browser!;

    public async ValueTask InitializeAsync()
    {
        _piku = await PikuInstance.StartAsync(Settings);
        _browser = new Browser(_piku);
        await PrepareAsync();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        _browser?.Dispose();
        if (_piku is not null)
            await _piku.DisposeAsync();
    }

    /// <summary>Its <c>piku.toml</c>.</summary>
    protected virtual string Settings => "";

    /// <summary>What all tests of the class find there.</summary>
    protected virtual Task PrepareAsync() => Task.CompletedTask;
}
