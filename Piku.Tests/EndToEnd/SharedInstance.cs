namespace Piku.Tests.EndToEnd;

/// <summary>One running piku for all tests that leave it as they found it; each uses apps of its own name.</summary>
public sealed class SharedInstance : IAsyncLifetime
{
    private PikuInstance? _piku;
    private Browser? _browser;

    public PikuInstance Piku => _piku!;

    public Browser Browser => _browser!;

    public async ValueTask InitializeAsync()
    {
        _piku = await PikuInstance.StartAsync();
        _browser = new Browser(_piku);
    }

    public async ValueTask DisposeAsync()
    {
        _browser?.Dispose();
        if (_piku is not null)
            await _piku.DisposeAsync();
    }
}

[CollectionDefinition(nameof(SharedInstance))]
public sealed class SharedInstanceCollection : ICollectionFixture<SharedInstance>;
