using System.Security.Cryptography;
using CsCheck;
using Piku.Server.Ssh.Authentication;
using Piku.Server.Ssh.Wire;

namespace Piku.Tests.Ssh;

public sealed class AuthorizedKeysTextTests
{
    private const string Ed25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
    private const string Upstream =
        "command=\"FINGERPRINT=SHA256:x NAME=alice /home/piku/piku.py $SSH_ORIGINAL_COMMAND\",no-agent-forwarding,no-user-rc,no-X11-forwarding,no-port-forwarding ";

    [Theory]
    [InlineData(Ed25519 + " alice@example.org", "alice@example.org")]
    [InlineData(Ed25519 + "  a name of  several words ", "a name of  several words")]
    [InlineData("\t" + Ed25519 + "\talice", "alice")]
    [InlineData("restrict " + Ed25519 + " alice", "alice")]
    [InlineData("no-pty,no-Port-Forwarding " + Ed25519 + " alice", "alice")]
    [InlineData("environment=\"A=b c, \\\"d\\\"\",restrict,pty " + Ed25519 + " alice", "alice")]
    [InlineData(Upstream + Ed25519 + " comment", "alice")]
    [InlineData("command=\"piku.py $SSH_ORIGINAL_COMMAND\" " + Ed25519 + " comment", "comment")]
    [InlineData(Ed25519, "SHA256:")]
    public void A_line_is_a_key_with_a_name(string line, string name)
    {
        var text = AuthorizedKeysText.Parse(line, "piku.py");

        Assert.Empty(text.Problems);
        Assert.StartsWith(name, Assert.Single(text.Keys).Name, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nonsense", "the option 'nonsense' is not supported")]
    [InlineData("ssh-dss AAAA", "the option 'ssh-dss' is not supported")]
    [InlineData("restrict ssh-dss AAAA", "keys of type 'ssh-dss' are not supported")]
    [InlineData("ssh-ed25519", "the key is not valid base64")]
    [InlineData("ssh-ed25519 !!!!", "the key is not valid base64")]
    [InlineData("ssh-ed25519 AAAA", "data ends too early")]
    [InlineData("ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea", "the key is not of the type that the line says")]
    [InlineData("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAAQA=", "an Ed25519 key has 32 bytes")]
    [InlineData("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1EaAA==", "data is longer than its content")]
    [InlineData("restrict=\"x\" " + Ed25519, "the option 'restrict': it takes no value")]
    [InlineData("command " + Ed25519, "the option 'command': it needs a value")]
    [InlineData("command=x " + Ed25519, "the value of the option 'command' is not in quotes")]
    [InlineData("command=\"x " + Ed25519, "the value of the option 'command' has no end")]
    [InlineData("command=\"x\" " + Ed25519, "a forced command is not supported")]
    [InlineData("command=\"/bin/other $SSH_ORIGINAL_COMMAND\" " + Ed25519, "a forced command is not supported")]
    [InlineData("command=\"NAME=$(id) piku.py $SSH_ORIGINAL_COMMAND\" " + Ed25519, "a forced command is not supported")]
    [InlineData("command=\"piku.py $SSH_ORIGINAL_COMMAND; id\" " + Ed25519, "a forced command is not supported")]
    [InlineData("command=\"piku.py apps\" " + Ed25519, "a forced command is not supported")]
    [InlineData("command=\"a\",command=\"b\" " + Ed25519, "the option 'command': it is there twice")]
    [InlineData("environment=\"A\" " + Ed25519, "the option 'environment': it needs NAME=value")]
    [InlineData("restrict,, " + Ed25519, "the option '' is not supported")]
    [InlineData("command=\"piku.py $SSH_ORIGINAL_COMMAND\"x " + Ed25519, "the options are not separated from the key")]
    public void A_line_that_cannot_be_honoured_is_a_problem_and_no_key(string line, string problem)
    {
        var text = AuthorizedKeysText.Parse($"# first\n{line}\n{Ed25519} next\n", "piku.py");

        Assert.Equal(new AuthorizedKeysProblem(2, problem), Assert.Single(text.Problems));
        Assert.Equal("next", Assert.Single(text.Keys).Name);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\r\n \t\n")]
    [InlineData("# " + Ed25519)]
    [InlineData("  #")]
    public void Comments_and_blank_lines_are_nothing(string content)
    {
        var text = AuthorizedKeysText.Parse(content, null);

        Assert.Empty(text.Keys);
        Assert.Empty(text.Problems);
    }

    [Theory]
    [InlineData("\r")]
    [InlineData("\v")]
    [InlineData("\f")]
    [InlineData("\u0085")]
    [InlineData("\u2028")]
    [InlineData("\u2029")]
    public void A_comment_holds_no_second_key(string separator)
    {
        var text = AuthorizedKeysText.Parse($"restrict {Ed25519} bob{separator}{Ed25519} eve\r\n{Ed25519} next", null);

        Assert.Empty(text.Problems);
        Assert.Equal([(1, false), (2, true)], text.Keys.Select(key => (key.Line, key.Options.MayHaveTerminal)));
    }

    [Fact]
    public void Options_are_kept()
    {
        var key = AuthorizedKeysText.Parse(Upstream.Trim() + ",environment=\"A=1\",environment=\"B=x=\\\"y\\\"\",environment=\"A=2\" " + Ed25519, "piku.py").Keys.Single();

        Assert.Equal("FINGERPRINT=SHA256:x NAME=alice /home/piku/piku.py $SSH_ORIGINAL_COMMAND", key.Options.Command);
        Assert.Null(key.ForcedCommand);
        Assert.Equal((true, false), (key.Options.MayHaveTerminal, key.Options.MayForwardPorts));
        Assert.Equal(("1", "x=\"y\""), (key.Options.Environment["A"], key.Options.Environment["B"]));
    }

    [Fact]
    public void Control_characters_never_leave_the_file() =>
        Assert.Equal("a?[31mb", AuthorizedKeysText.Parse(Ed25519 + " a\u001b[31mb", null).Keys.Single().Comment);

    [Fact]
    public void Without_a_program_to_stand_in_for_no_forced_command_is_honoured() =>
        Assert.Single(AuthorizedKeysText.Parse(Upstream + Ed25519, null).Problems);

    [Theory]
    [InlineData(1024, false)]
    [InlineData(2048, true)]
    public void RSA_keys_need_2048_bits(int bits, bool accepted)
    {
        using var rsa = RSA.Create(bits);
        var parameters = rsa.ExportParameters(false);
        using var blob = new SshWriter();
        blob.WriteText("ssh-rsa");
        blob.WriteMpint(parameters.Exponent);
        blob.WriteMpint(parameters.Modulus);

        var text = AuthorizedKeysText.Parse("ssh-rsa " + Convert.ToBase64String(blob.Written), null);

        Assert.Equal(accepted ? 1 : 0, text.Keys.Count);
    }

    [Fact]
    public void ECDSA_keys_need_a_point_on_their_curve()
    {
        using var blob = new SshWriter();
        blob.WriteText("ecdsa-sha2-nistp256");
        blob.WriteText("nistp256");
        blob.WriteString([4, .. new byte[64]]);

        var text = AuthorizedKeysText.Parse("ecdsa-sha2-nistp256 " + Convert.ToBase64String(blob.Written), null);

        Assert.Equal("the key's point is not on its curve", Assert.Single(text.Problems).Message);
    }

    [Fact]
    public void The_fingerprint_is_the_one_that_ssh_keygen_prints() =>
        Assert.Equal(
            "SHA256:" + Convert.ToBase64String(SHA256.HashData(Convert.FromBase64String(Ed25519.Split(' ')[1]))).TrimEnd('='),
            AuthorizedKeysText.Parse(Ed25519, null).Keys.Single().Fingerprint);

    [Fact]
    public void Any_text_at_all_gives_keys_and_problems_and_no_exception()
    {
        var pieces = Gen.OneOf([.. new[] { Ed25519, Upstream, "command=\"", "\"", "\\\"", ",", " ", "\t", "=", "#", "\n", "\0", "ssh-rsa", "restrict", "AAAA", "\ud800" }.Select(Gen.Const)]);
        Gen.OneOf(pieces, Gen.String).Array[0, 12].Sample(parts => AuthorizedKeysText.Parse(string.Concat(parts), "piku.py"), iter: 20_000);
    }
}
