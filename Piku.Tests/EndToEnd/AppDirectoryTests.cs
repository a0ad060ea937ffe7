namespace Piku.Tests.EndToEnd;

/// <summary>An app that is one folder of its repository.</summary>
[NeedsMachine]
public sealed class AppDirectoryTests(RunningPiku shared) : IClassFixture<RunningPiku>
{
    private Client Client => shared.Piku.Client;

    [Fact]
    public async Task The_folder_is_the_app_and_no_other_folder_can_be()
    {
        var repository = await Repository.WithFilesAsync(
            Client, "mono",
            ("ENV", "PIKU_APP_DIR=sites/shop\n"),
            ("sites/shop/Procfile", "static: public\npreflight: pwd; ls\n"),
            ("sites/shop/ENV", "NGINX_SERVER_NAME=mono.localhost\n"),
            ("sites/shop/public/index.html", "shop of mono"));
        var said = await repository.PushAsync();
        Assert.Contains($"/mono/sites/shop", said, StringComparison.Ordinal);
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "shop of mono");
        Assert.EndsWith("/mono/sites/shop\n", await Client.CommandAsync("run", "mono", "pwd"), StringComparison.Ordinal);

        var good = await repository.HeadAsync();
        Directory.CreateSymbolicLink(Path.Combine(repository.Folder, "out"), "/etc");
        foreach (var wrong in (string[])["absent", "out", "../mono/sites", "sites/../sites/shop", ".git", "/etc", "out/ssh"])
        {
            repository.Write("ENV", $"PIKU_APP_DIR={wrong}\n");
            var refused = await repository.TryPushAsync();
            Assert.False(refused.Status.Succeeded, wrong);
            Assert.Contains("PIKU_APP_DIR", refused.Error, StringComparison.Ordinal);
        }
        Assert.Equal(good, await repository.RemoteHeadAsync());
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "shop of mono");
        await Client.CommandAsync("destroy", "mono");
    }
}
