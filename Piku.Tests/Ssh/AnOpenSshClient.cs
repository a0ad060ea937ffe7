using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Piku.Server.Ssh;

namespace Piku.Tests.Ssh;

/// <summary>What the client that most people have gets from this server.</summary>
[NeedsMachine]
public sealed class AnOpenSshClient
{
    private const int Large = 24 * 1024 * 1024;

    [Fact]
    public async Task Runs_a_command_and_gets_its_output_error_and_exit_status()
    {
        await using var server = await TestServer.StartAsync(async (session, cancellationToken) =>
        {
            await session.Output.WriteAsync(Encoding.UTF8.GetBytes($"ran {session.Command}"), cancellationToken);
            await session.Error.WriteAsync("and failed"u8.ToArray(), cancellationToken);
            return 42;
        });

        var result = await server.SshAsync("apps --all");

        Assert.Equal(new ProgramResult(42, "ran apps --all", "and failed"), result);
    }

    [Fact]
    public async Task Gets_a_session_without_a_command_for_a_shell()
    {
        await using var server = await TestServer.StartAsync((session, _) => Task.FromResult(session.Command is null ? 7 : 8));

        var result = await Programs.RunAsync("ssh", server.SshArguments());

        Assert.Equal(7, result.ExitCode);
    }

    [Theory]
    [InlineData("chacha20-poly1305@openssh.com")]
    [InlineData("aes256-gcm@openssh.com")]
    [InlineData("aes128-gcm@openssh.com")]
    [InlineData("aes256-ctr", "-m", "hmac-sha2-256-etm@openssh.com")]
    [InlineData("aes128-ctr", "-m", "hmac-sha2-512-etm@openssh.com")]
    public async Task Sends_and_receives_24_MB_unchanged_with_each_cipher(string cipher, params string[] mac)
    {
        var data = new byte[Large];
        new Random(1).NextBytes(data);
        await using var server = await TestServer.StartAsync(async (session, cancellationToken) =>
        {
            if (session.Command == "down")
                await session.Output.WriteAsync(data, cancellationToken);
            else
                await session.Output.WriteAsync(await SHA256.HashDataAsync(session.Input, cancellationToken), cancellationToken);
            return 0;
        });
        var expected = SHA256.HashData(data);

        Assert.Equal(expected, await server.HashOfOutputAsync("down", ["-c", cipher, .. mac]));
        var up = await Programs.RunAsync("ssh", [.. server.SshArguments(["-c", cipher, .. mac]), "up"], data);
        Assert.Equal(expected, Encoding.Latin1.GetBytes(up.Output));
    }

    [Fact]
    public async Task Gets_its_input_back_to_the_end()
    {
        await using var server = await TestServer.StartAsync(Echo);

        var result = await server.SshAsync("echo", "to the end\n");

        Assert.Equal(new ProgramResult(0, "to the end\n", ""), result);
    }

    [Theory]
    [InlineData("ed25519")]
    [InlineData("ecdsa", "-b", "256")]
    [InlineData("ecdsa", "-b", "384")]
    [InlineData("ecdsa", "-b", "521")]
    [InlineData("rsa", "-b", "2048")]
    public async Task Comes_in_with_each_type_of_key(string type, params string[] more)
    {
        await using var server = await TestServer.StartAsync((_, _) => Task.FromResult(0));
        var key = await server.MakeKeyAsync("other", type, more);
        await File.AppendAllTextAsync(server.AuthorizedKeysFile, await File.ReadAllTextAsync(key + ".pub", TestContext.Current.CancellationToken), TestContext.Current.CancellationToken);

        Assert.Equal(0, (await server.SshAsync("x", "", "-i", key)).ExitCode);
    }

    [Theory]
    [InlineData("rsa-sha2-256", 0)]
    [InlineData("rsa-sha2-512", 0)]
    [InlineData("ssh-rsa", 255)]
    public async Task Comes_in_with_RSA_only_by_SHA_2(string algorithm, int exitCode)
    {
        await using var server = await TestServer.StartAsync((_, _) => Task.FromResult(0));
        var key = await server.MakeKeyAsync("other", "rsa", "-b", "2048");
        File.Copy(key + ".pub", server.AuthorizedKeysFile, overwrite: true);

        var result = await server.SshAsync("x", "", "-i", key, "-o", "PubkeyAcceptedAlgorithms=" + algorithm);

        Assert.Equal(exitCode, result.ExitCode);
    }

    [Fact]
    public async Task Is_refused_with_a_key_that_is_not_authorized()
    {
        await using var server = await TestServer.StartAsync((_, _) => Task.FromResult(0));
        var key = await server.MakeKeyAsync("stranger", "ed25519");

        var result = await server.SshAsync("x", "", "-i", key);

        Assert.Equal(255, result.ExitCode);
        Assert.Contains("Permission denied (publickey)", result.Error, StringComparison.Ordinal);
        Assert.Contains(server.Log.LinesAt(LogLevel.Information), line => line.Contains("alice refused", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Comes_in_as_soon_as_its_key_is_added_and_no_more_when_it_is_removed()
    {
        await using var server = await TestServer.StartAsync((_, _) => Task.FromResult(0));
        var line = await File.ReadAllTextAsync(server.AuthorizedKeysFile, TestContext.Current.CancellationToken);

        Assert.Equal(0, (await server.SshAsync("x")).ExitCode);
        File.Delete(server.AuthorizedKeysFile);
        Assert.Equal(255, (await server.SshAsync("x")).ExitCode);
        await File.WriteAllTextAsync(server.AuthorizedKeysFile, "nonsense\n" + line, TestContext.Current.CancellationToken);
        Assert.Equal(0, (await server.SshAsync("x")).ExitCode);
        Assert.Contains(server.Log.Lines, text => text.Contains("line 1 is ignored", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Is_known_by_its_key_whatever_user_name_it_gives()
    {
        await using var server = await TestServer.StartAsync(async (session, cancellationToken) =>
        {
            await session.Output.WriteAsync(Encoding.UTF8.GetBytes($"{session.User} {session.Key.Name} {session.Key.Fingerprint}"), cancellationToken);
            return 0;
        });
        var listed = await Programs.RunAsync("ssh-keygen", ["-l", "-f", server.Key]);

        var result = await server.SshAsync("x", "", "-l", "bob");

        Assert.Equal($"bob client {listed.Output.Split(' ')[1]}", result.Output);
    }

    [Fact]
    public async Task Sets_only_variables_that_the_server_accepts()
    {
        await using var server = await TestServer.StartAsync(async (session, cancellationToken) =>
        {
            var text = string.Join(' ', session.Environment.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}"));
            await session.Output.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken);
            return 0;
        });

        var result = await server.SshAsync("x", "", "-o", "SetEnv=GIT_PROTOCOL=version=2 LC_X=ä LD_PRELOAD=x GIT_PROTOCOLS=y");

        Assert.Equal("GIT_PROTOCOL=version=2 LC_X=ä", Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(result.Output)));
    }

    [Fact]
    public async Task Opens_many_sessions_on_one_connection()
    {
        var connections = new ConcurrentDictionary<int, int>();
        await using var server = await TestServer.StartAsync(async (session, cancellationToken) =>
        {
            connections.AddOrUpdate(session.RemoteEndPoint.Port, 1, (_, count) => count + 1);
            return await Echo(session, cancellationToken);
        });
        var socket = Path.Combine(server.Folder, "control");
        string[] options = ["-o", "ControlMaster=auto", "-o", "ControlPath=" + socket, "-o", "ControlPersist=yes"];
        Assert.Equal("first", (await server.SshAsync("echo", "first", options)).Output);

        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => server.SshAsync("echo", $"session {i}", options)));

        Assert.Equal(Enumerable.Range(0, 8).Select(i => $"session {i}"), results.Select(result => result.Output));
        Assert.Equal([9], connections.Values);
        await Programs.RunAsync("ssh", [.. server.SshArguments("-O", "exit", "-o", "ControlPath=" + socket)]);
    }

    [Theory]
    [InlineData("-o", "RekeyLimit=1M")]
    public Task Changes_keys_while_data_flows_when_it_wants_to(params string[] options) => TransferBothWaysAsync(new SshLimits(), options);

    [Fact]
    public Task Changes_keys_while_data_flows_when_the_server_wants_to() => TransferBothWaysAsync(new SshLimits { RekeyBytes = 1024 * 1024 });

    [Fact]
    public Task Changes_keys_while_data_flows_when_both_want_to() =>
        TransferBothWaysAsync(new SshLimits { RekeyBytes = 1024 * 1024 }, "-o", "RekeyLimit=1M");

    [Fact]
    public async Task Changes_keys_when_they_are_old()
    {
        await using var server = await TestServer.StartAsync(
            Echo, options => options with { Limits = new SshLimits { RekeyAfter = TimeSpan.FromMilliseconds(1) } });

        var result = await Programs.RunAsync("ssh", [.. server.SshArguments("-vv"), "echo"], new byte[100_000]);

        Assert.Equal(100_000, result.Output.Length);
        Assert.True(result.Error.Split("SSH2_MSG_NEWKEYS received").Length > 2, "there was no second exchange");
    }

    [Fact]
    public async Task That_is_killed_cancels_the_session()
    {
        var started = new TaskCompletionSource();
        var cancelled = new TaskCompletionSource();
        await using var server = await TestServer.StartAsync(async (_, cancellationToken) =>
        {
            started.SetResult();
            await using (cancellationToken.Register(cancelled.SetResult))
                await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        });
        using var ssh = Programs.Start("ssh", [.. server.SshArguments(), "wait"]);
        await started.Task.WaitAsync(Wait.Limit, TestContext.Current.CancellationToken);

        ssh.Kill();

        await cancelled.Task.WaitAsync(Wait.Limit, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task That_is_killed_in_the_middle_of_its_input_never_looks_finished()
    {
        var end = new TaskCompletionSource<Exception?>();
        await using var server = await TestServer.StartAsync(async (session, cancellationToken) =>
        {
            try
            {
                await session.Input.CopyToAsync(Stream.Null, CancellationToken.None);
                end.SetResult(null);
            }
            catch (IOException e)
            {
                end.SetResult(e);
            }
            return 0;
        });
        using var ssh = Programs.Start("ssh", [.. server.SshArguments(), "put"]);
        await ssh.StandardInput.WriteAsync("half");
        await ssh.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
        await Wait.UntilAsync(() => server.Log.Lines.Any(line => line.Contains("started", StringComparison.Ordinal)));

        ssh.Kill();

        Assert.NotNull(await end.Task.WaitAsync(Wait.Limit, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Sees_an_id_and_no_stack_trace_when_the_handler_fails()
    {
        await using var server = await TestServer.StartAsync((_, _) => throw new InvalidOperationException("secret detail"));

        var result = await server.SshAsync("x");

        Assert.Equal(70, result.ExitCode);
        Assert.Matches("^internal error \\([0-9a-f]{8}/0\\)\n$", result.Error);
        Assert.Contains(server.Log.LinesAt(LogLevel.Error), line => line.Contains("secret detail", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Gets_the_last_words_of_its_session_when_the_server_stops()
    {
        var started = new TaskCompletionSource();
        await using var server = await TestServer.StartAsync(async (session, cancellationToken) =>
        {
            started.SetResult();
            try
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                await session.Output.WriteAsync("last words"u8.ToArray(), CancellationToken.None);
            }
            return 3;
        });
        var ssh = server.SshAsync("wait");
        await started.Task.WaitAsync(Wait.Limit, TestContext.Current.CancellationToken);

        await server.Server.StopAsync(hurry: new(canceled: true));

        Assert.Equal(new ProgramResult(3, "last words", ""), await ssh);
    }

    [Fact]
    public async Task Reaches_the_server_over_IPv6()
    {
        await using var server = await TestServer.StartAsync(
            Echo, options => options with { EndPoints = [new IPEndPoint(IPAddress.IPv6Loopback, 0)] });

        Assert.Equal("six", (await server.SshAsync("echo", "six")).Output);
    }

    [Fact]
    public async Task Is_served_while_another_does_not_read_its_output()
    {
        await using var server = await TestServer.StartAsync(async (session, cancellationToken) =>
        {
            if (session.Command == "flood")
                await session.Output.WriteAsync(new byte[Large], cancellationToken);
            return 0;
        });
        using var slow = Programs.Start("ssh", [.. server.SshArguments(), "flood"]);
        await Wait.UntilAsync(() => server.Log.Lines.Any(line => line.Contains("started", StringComparison.Ordinal)));

        Assert.Equal(0, (await server.SshAsync("quick")).ExitCode);
        slow.Kill();
    }

    private static async Task<int> Echo(SshSession session, CancellationToken cancellationToken)
    {
        await session.Input.CopyToAsync(session.Output, cancellationToken);
        return 0;
    }

    private static async Task TransferBothWaysAsync(SshLimits limits, params string[] options)
    {
        var data = new byte[20 * 1024 * 1024];
        new Random(2).NextBytes(data);
        await using var server = await TestServer.StartAsync(Echo, options => options with { Limits = limits });

        var result = await Programs.RunAsync("ssh", [.. server.SshArguments([.. options, "-vv"]), "echo"], data);

        Assert.True(data.AsSpan().SequenceEqual(Encoding.Latin1.GetBytes(result.Output)), result.Error[^2000..]);
        Assert.True(result.Error.Split("SSH2_MSG_NEWKEYS received").Length > 15, "keys were hardly changed");
    }
}
