using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Wire;

namespace Piku.Tests.Ssh;

/// <summary>A FIDO authenticator with one key, which signs <see cref="Data"/> for <c>ssh:</c> with whatever flags it is told.</summary>
internal sealed class Authenticator : IDisposable
{
    public static readonly byte[] Data = "what is signed"u8.ToArray();

    private const string Application = "ssh:";

    private readonly UserKeyType _type;
    private readonly Ed25519 _ed25519 = RawClient.NewKey();
    private readonly ECDsa _ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public Authenticator(string name)
    {
        _type = UserKeyType.Find(name)!;
        using var blob = new SshWriter();
        blob.WriteText(name);
        if (IsEd25519)
        {
            blob.WriteString(_ed25519.PublicKey);
        }
        else
        {
            blob.WriteText("nistp256");
            blob.WriteString(EcdsaKey.Bytes(_ecdsa.ExportParameters(includePrivateParameters: false).Q));
        }
        blob.WriteText(Application);
        Blob = blob.Written.ToArray();
    }

    /// <summary>The public key.</summary>
    public byte[] Blob { get; }

    private bool IsEd25519 => _type.Name.Contains("ed25519", StringComparison.Ordinal);

    public byte[] Sign(byte flags, string application = Application) => Sign(flags, Data, application);

    public byte[] Sign(byte flags, ReadOnlySpan<byte> data, string application = Application)
    {
        byte[] statement = [flags, 0, 0, 0, 0];
        BinaryPrimitives.WriteUInt32BigEndian(statement.AsSpan(1), 42);
        byte[] signed = [.. SHA256.HashData(Encoding.ASCII.GetBytes(application)), .. statement, .. SHA256.HashData(data)];
        using var signature = new SshWriter();
        signature.WriteText(_type.Name);
        signature.WriteString(IsEd25519 ? _ed25519.Sign(signed) : EcdsaKey.Sign(_ecdsa, signed, HashAlgorithmName.SHA256));
        signature.WriteBytes(statement);
        return signature.Written.ToArray();
    }

    public bool Verify(byte[] signature, byte[] data, Presence demanded)
    {
        try
        {
            return UserKeyType.IsGenuine(_type.Algorithms[0], Blob, data, signature, demanded);
        }
        catch (SshProtocolException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        _ed25519.Dispose();
        _ecdsa.Dispose();
    }
}
