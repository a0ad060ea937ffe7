using System.Runtime.InteropServices;
using System.Security.Cryptography;

// Native libraries come from the system's folders only.
[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]

namespace Piku.Server.Ssh.Crypto;

/// <summary>
/// The primitives that .NET does not offer, from OpenSSL 3's libcrypto, which .NET on Linux uses for all others.
/// Names are libcrypto's: each has a manual page.
/// </summary>
internal static partial class LibCrypto
{
    /// <summary>NID_X25519 and NID_ED25519 of openssl/obj_mac.h.</summary>
    public const int X25519 = 1034, Ed25519 = 1087;

    private const string Library = "libcrypto.so.3";

    [LibraryImport(Library)]
    public static partial KeyHandle EVP_PKEY_new_raw_private_key(int type, nint engine, ReadOnlySpan<byte> key, nuint length);

    [LibraryImport(Library)]
    public static partial KeyHandle EVP_PKEY_new_raw_public_key(int type, nint engine, ReadOnlySpan<byte> key, nuint length);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_get_raw_public_key(KeyHandle key, Span<byte> result, ref nuint length);

    [LibraryImport(Library)]
    public static partial void EVP_PKEY_free(nint key);

    [LibraryImport(Library)]
    public static partial KeyContextHandle EVP_PKEY_CTX_new(KeyHandle key, nint engine);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_derive_init(KeyContextHandle context);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_derive_set_peer(KeyContextHandle context, KeyHandle peer);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_derive(KeyContextHandle context, Span<byte> secret, ref nuint length);

    [LibraryImport(Library)]
    public static partial void EVP_PKEY_CTX_free(nint context);

    [LibraryImport(Library)]
    public static partial DigestContextHandle EVP_MD_CTX_new();

    [LibraryImport(Library)]
    public static partial int EVP_DigestSignInit(DigestContextHandle context, nint keyContext, nint digest, nint engine, KeyHandle key);

    [LibraryImport(Library)]
    public static partial int EVP_DigestSign(
        DigestContextHandle context, Span<byte> signature, ref nuint signatureLength, ReadOnlySpan<byte> data, nuint length);

    [LibraryImport(Library)]
    public static partial int EVP_DigestVerifyInit(DigestContextHandle context, nint keyContext, nint digest, nint engine, KeyHandle key);

    [LibraryImport(Library)]
    public static partial int EVP_DigestVerify(
        DigestContextHandle context, ReadOnlySpan<byte> signature, nuint signatureLength, ReadOnlySpan<byte> data, nuint length);

    [LibraryImport(Library)]
    public static partial void EVP_MD_CTX_free(nint context);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint EVP_CIPHER_fetch(nint library, string algorithm, string? properties);

    [LibraryImport(Library)]
    public static partial CipherContextHandle EVP_CIPHER_CTX_new();

    /// <param name="encrypt">1 to encrypt, 0 to decrypt, -1 to leave it as it was.</param>
    [LibraryImport(Library)]
    public static partial int EVP_CipherInit_ex2(
        CipherContextHandle context, nint cipher, ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv, int encrypt, nint parameters);

    [LibraryImport(Library)]
    public static partial int EVP_CipherUpdate(
        CipherContextHandle context, Span<byte> output, out int written, ReadOnlySpan<byte> input, int length);

    [LibraryImport(Library)]
    public static partial void EVP_CIPHER_CTX_free(nint context);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint EVP_MAC_fetch(nint library, string algorithm, string? properties);

    [LibraryImport(Library)]
    public static partial MacContextHandle EVP_MAC_CTX_new(nint mac);

    [LibraryImport(Library)]
    public static partial int EVP_MAC_init(MacContextHandle context, ReadOnlySpan<byte> key, nuint length, nint parameters);

    [LibraryImport(Library)]
    public static partial int EVP_MAC_update(MacContextHandle context, ReadOnlySpan<byte> data, nuint length);

    [LibraryImport(Library)]
    public static partial int EVP_MAC_final(MacContextHandle context, Span<byte> tag, out nuint written, nuint size);

    [LibraryImport(Library)]
    public static partial void EVP_MAC_CTX_free(nint context);

    [LibraryImport(Library)]
    public static partial void ERR_clear_error();

    /// <summary>libcrypto's functions return 1 for success; anything else on our own data is a defect, not a decision.</summary>
    public static void Check(int result)
    {
        if (result != 1)
            throw Failure();
    }

    public static THandle Check<THandle>(THandle handle)
        where THandle : SafeHandle
    {
        if (!handle.IsInvalid)
            return handle;
        handle.Dispose();
        throw Failure();
    }

    // The queue of errors belongs to the thread: what stays in it would be reported by .NET for another operation.
    private static CryptographicException Failure()
    {
        ERR_clear_error();
        return new CryptographicException("libcrypto refused an operation");
    }
}
