using System.Net;
using System.Net.Sockets;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.Machine;

public sealed class SystemTests
{
    [Fact]
    public void Free_ports_are_different_and_free_and_not_taken()
    {
        var taken = FreePorts.Find(20, new HashSet<int>()).ToHashSet();
        var found = FreePorts.Find(20, taken);
        Assert.Equal(20, found.Distinct().Count());
        Assert.Empty(found.Intersect(taken));
        using var listener = new TcpListener(IPAddress.Loopback, found[0]);
        listener.Start();
    }

    [Fact]
    public void The_user_is_the_one_that_id_names()
    {
        Assert.Equal(Environment.UserName, UnixUser.Current.Name);
        Assert.Equal(Environment.IsPrivilegedProcess, UnixUser.Current.IsRoot);
        Assert.True(Path.IsPathRooted(UnixUser.Current.Home));
        Assert.NotEmpty(UnixUser.Current.Group);
    }

    [Theory]
    [InlineData("sh", "/nowhere:/usr/bin:/bin", true)]
    [InlineData("sh", "", false)]
    [InlineData("sh", null, false)]
    [InlineData("sh", ".:bin", false)]
    [InlineData("/bin/sh", null, true)]
    [InlineData("passwd", "/etc", false)]
    public void Tools_are_found_on_the_path_given(string program, string? path, bool found)
    {
        Assert.Equal(found, Tools.Find(program, path) is not null);
        if (!found)
            Assert.Throws<UserError>(() => Tools.Require(program, path));
    }

    [Theory]
    [InlineData("TERM", 15)]
    [InlineData("SIGWINCH", 28)]
    [InlineData("", null)]
    [InlineData("NONE", null)]
    public void Signals_have_names(string name, int? number) => Assert.Equal(number, Signals.Number(name));
}
