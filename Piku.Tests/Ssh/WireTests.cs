using CsCheck;
using Piku.Server.Ssh.Wire;

namespace Piku.Tests.Ssh;

public sealed class WireTests
{
    [Theory]
    [InlineData("", "00000000")]
    [InlineData("00", "00000000")]
    [InlineData("09a378f9b2e332a7", "0000000809a378f9b2e332a7")]
    [InlineData("80", "000000020080")]
    [InlineData("0000ff", "0000000200ff")]
    public void Numbers_are_written_as_in_RFC_4251(string magnitude, string expected)
    {
        using var writer = new SshWriter();
        writer.WriteMpint(Convert.FromHexString(magnitude));
        Assert.Equal(expected, Convert.ToHexStringLower(writer.Written));
    }

    [Fact]
    public void What_is_written_is_read() =>
        Gen.Select(Gen.Byte, Gen.Bool, Gen.UInt, Gen.Byte.Array[0, 2000], Gen.String[Gen.Char.AlphaNumeric, 0, 50]).Sample((one, flag, number, bytes, text) =>
        {
            using var writer = new SshWriter((MessageNumber)one);
            writer.WriteBoolean(flag);
            writer.WriteUInt32(number);
            writer.WriteString(bytes);
            writer.WriteText(text + "ä");
            writer.WriteMpint(bytes);
            writer.WriteNameList("a", "b" + text);

            var reader = new SshReader(writer.Written);
            Assert.Equal(one, (byte)reader.ReadMessageNumber());
            Assert.Equal(flag, reader.ReadBoolean());
            Assert.Equal(number, reader.ReadUInt32());
            Assert.Equal(bytes, reader.ReadString().ToArray());
            Assert.Equal(text + "ä", reader.ReadText());
            Assert.Equal(bytes.AsSpan().TrimStart((byte)0).ToArray(), reader.ReadMpint().ToArray());
            Assert.Equal(["a", "b" + text], reader.ReadNameList());
            reader.End();
        }, iter: 1000);

    [Theory]
    [InlineData("")]
    [InlineData("00")]
    [InlineData("000000")]
    [InlineData("00000001")]
    [InlineData("ffffffff")]
    [InlineData("7fffffff00")]
    public void A_string_longer_than_the_data_is_refused(string data) =>
        Assert.Throws<SshProtocolException>(() => new SshReader(Convert.FromHexString(data)).ReadString());

    [Theory]
    [InlineData("00000002edcc")]
    [InlineData("00000001ff")]
    public void A_negative_number_is_refused(string data) =>
        Assert.Throws<SshProtocolException>(() => new SshReader(Convert.FromHexString(data)).ReadMpint());

    [Theory]
    [InlineData("")]
    [InlineData(",")]
    [InlineData("a,", "a")]
    [InlineData(",a,,b", "a", "b")]
    public void Nothing_between_the_commas_of_a_name_list_is_no_name(string list, params string[] names)
    {
        using var writer = new SshWriter();
        writer.WriteText(list);
        Assert.Equal(names, new SshReader(writer.Written).ReadNameList());
    }

    [Theory]
    [InlineData("00000003610062")]
    [InlineData("00000002c3a4")]
    public void A_name_list_with_anything_but_names_is_refused(string data) =>
        Assert.Throws<SshProtocolException>(() => new SshReader(Convert.FromHexString(data)).ReadNameList());

    [Fact]
    public void Text_that_is_not_UTF_8_is_refused() =>
        Assert.Throws<SshProtocolException>(() => new SshReader([0, 0, 0, 1, 0xff]).ReadText());

    [Fact]
    public void Data_beyond_the_content_is_refused() =>
        Assert.Throws<SshProtocolException>(() => new SshReader([0]).End());
}
