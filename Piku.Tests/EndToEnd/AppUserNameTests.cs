namespace Piku.Tests.EndToEnd;

/// <summary>Alone, because every daemon on the machine loses its apps' names for some seconds.</summary>
[NeedsMachine]
[Collection(nameof(Alone))]
public sealed class AppUserNameTests
{
    /// <summary>useradd(8) and its like put a new file in the place of /etc/passwd; the kernel then takes away what is mounted there elsewhere.</summary>
    [Fact]
    public async Task Apps_keep_their_names_when_a_user_is_added_to_the_system()
    {
        AppUsersInstance.SkipUnlessPossible();
        await using var piku = await PikuInstance.StartAsync(piku => piku.GiveAppsUsersAsync());
        var repository = await Repository.WithFilesAsync(piku.Client, "named", ("Procfile", "worker: exec sleep 1000\n"), ("package.json", "{}"));
        await repository.PushAsync();
        Assert.Equal("piku-named\n", await piku.Client.CommandAsync("run", "named", "whoami"));
        await Programs.RunAsync("sh", ["-c", "cp -a /etc/passwd /etc/passwd.piku && mv /etc/passwd.piku /etc/passwd"]);
        await Eventually.TrueAsync(async () => (await piku.Client.SshAsync("run", "named", "whoami")).Output == "piku-named\n");
    }
}
