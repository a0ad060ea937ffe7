using System.Text;
using CsCheck;
using Piku.Core.Formats;
using Piku.Core.Model;

namespace Piku.Tests.Formats;

public sealed class AppTextTests
{
    private const string Text = "A=café\nB=2\n";

    [Fact]
    public void Windows_editors_save_the_same_text()
    {
        Encoding[] encodings = [new UTF8Encoding(false), new UTF8Encoding(true), new UnicodeEncoding(false, true), new UnicodeEncoding(true, true)];
        Assert.All(encodings, encoding => Assert.Equal(Text, AppText.Read([.. encoding.GetPreamble(), .. encoding.GetBytes(Text)], "ENV")));
    }

    [Theory]
    [InlineData("LAT=caf\u00e9\n", "ENV line 1 has a byte that is not UTF-8: save the file as UTF-8.")]
    [InlineData("A=1\r\nB=2\rC=3\nLAT=caf\u00e9\n", "ENV line 4 has a byte that is not UTF-8")]
    [InlineData("A=1\nLAT=caf\u00e9", "ENV line 2 has a byte that is not UTF-8")]
    [InlineData("A=1\nB=x\0y\n", "ENV line 2 has a NUL byte")]
    [InlineData("\u00ff\u00feA\0\u0000\u00d8B\0", "ENV line 1 has a byte that is not UTF-16")]
    [InlineData("\u00ff\u00feA\0\n\0x", "ENV line 2 has a byte that is not UTF-16")]
    public void A_byte_of_no_text_is_refused_with_file_and_line_and_never_replaced(string latin, string message) =>
        Assert.StartsWith(message, Assert.Throws<UserError>(() => AppText.Read(Encoding.Latin1.GetBytes(latin), "ENV")).Message, StringComparison.Ordinal);

    [Fact]
    public void An_absent_file_is_empty() => Assert.Equal("", AppText.Read(null, "ENV"));

    [Fact]
    public void Any_bytes_give_a_text_or_a_user_error() => Gen.Byte.Array.Sample(bytes =>
    {
        try
        {
            Assert.DoesNotContain('\0', AppText.Read(bytes, "ENV"));
        }
        catch (UserError)
        {
        }
    });
}
