namespace Piku.Tests.EndToEnd;

/// <summary>One running piku for all tests that leave it as they found it; each uses apps of its own name.</summary>
public sealed class SharedInstance : IAsyncLifetime
{
    public PikuInstance Piku { get; private set; } = null!;

    public Browser Browser { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Piku = await PikuInstance.StartAsync();
        Browser = new Browser(Piku);
    }

    public async ValueTask DisposeAsync()
    {
        Browser.Dispose();
        await Piku.DisposeAsync();
    }
}

[CollectionDefinition(nameof(SharedInstance))]
public sealed class SharedInstanceCollection : ICollectionFixture<SharedInstance>;
