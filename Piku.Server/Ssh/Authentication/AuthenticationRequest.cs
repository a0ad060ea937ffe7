using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Authentication;

/// <summary>SSH_MSG_USERAUTH_REQUEST (RFC 4252, section 5).</summary>
/// <param name="PublicKey">What the method <c>publickey</c> adds; null for other methods.</param>
internal sealed record AuthenticationRequest(string User, string Service, string Method, PublicKeyRequest? PublicKey)
{
    private const int MaxUserName = 255;

    public static AuthenticationRequest Read(ReadOnlySpan<byte> message)
    {
        var reader = new SshReader(message);
        reader.ReadMessageNumber();
        var user = reader.ReadText();
        if (user.Length > MaxUserName || user.Any(char.IsControl))
            throw new SshProtocolException("the user name is not one");
        var service = reader.ReadName();
        var method = reader.ReadName();
        return new(user, service, method, method == "publickey" ? PublicKeyRequest.Read(message, ref reader) : null);
    }
}

/// <summary>The fields of the method <c>publickey</c> (RFC 4252, section 7).</summary>
/// <param name="Algorithm">Of the signature.</param>
/// <param name="Key">The public key's blob.</param>
/// <param name="SignedPart">All of the message that comes before the signature.</param>
/// <param name="Signature">Null when the client only asks whether the key would do.</param>
internal sealed record PublicKeyRequest(string Algorithm, byte[] Key, byte[] SignedPart, byte[]? Signature)
{
    public static PublicKeyRequest Read(ReadOnlySpan<byte> message, ref SshReader reader)
    {
        var isSigned = reader.ReadBoolean();
        var algorithm = reader.ReadName();
        var key = reader.ReadString().ToArray();
        var signedPart = message[..^reader.Rest.Length].ToArray();
        var signature = isSigned ? reader.ReadString().ToArray() : null;
        reader.End();
        return new(algorithm, key, signedPart, signature);
    }
}
