using Microsoft.IdentityModel.Tokens;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Math.EC.Rfc8032;

namespace HeartGrains.Gateway.Identity.Jwt;

/// <summary>A public key of Ed25519 (RFC 8032, RFC 8037), which neither .NET nor the library of tokens knows.</summary>
internal sealed class Ed25519Key : AsymmetricSecurityKey
{
    /// <summary>Reads the key.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public Ed25519Key(byte[] bytes)
    {
        if (bytes.Length != Ed25519.PublicKeySize) throw new FormatException($"has {bytes.Length} bytes; a key of Ed25519 has {Ed25519.PublicKeySize}");
        if (!Ed25519.ValidatePublicKeyFull(bytes, 0)) throw new FormatException("is no key of Ed25519");
        Public = new Ed25519PublicKeyParameters(bytes);
    }

    public Ed25519PublicKeyParameters Public { get; }

    public override int KeySize => 256;

    [Obsolete("As in the library.")]
    public override bool HasPrivateKey => false;

    public override PrivateKeyStatus PrivateKeyStatus => PrivateKeyStatus.DoesNotExist;
}

/// <summary>Verifies signatures of <c>EdDSA</c> for the library of tokens.</summary>
internal sealed class Ed25519Provider : ICryptoProvider
{
    public bool IsSupportedAlgorithm(string algorithm, params object[] args) => algorithm == JwtKey.EdDsa && args is [Ed25519Key, ..];

    public object Create(string algorithm, params object[] args) => new Verifier((Ed25519Key)args[0]);

    public void Release(object cryptoInstance) => (cryptoInstance as IDisposable)?.Dispose();

    private sealed class Verifier(Ed25519Key key) : SignatureProvider(key, JwtKey.EdDsa)
    {
        public override byte[] Sign(byte[] input) => throw new NotSupportedException();

        public override bool Sign(ReadOnlySpan<byte> data, Span<byte> destination, out int bytesWritten) => throw new NotSupportedException();

        public override bool Verify(byte[] input, byte[] signature) => Verify(input, 0, input.Length, signature, 0, signature.Length);

        public override bool Verify(byte[] input, int inputOffset, int inputLength, byte[] signature, int signatureOffset, int signatureLength) =>
            signatureLength == Ed25519.SignatureSize && key.Public.Verify(Ed25519.Algorithm.Ed25519, null, input, inputOffset, inputLength, signature, signatureOffset);

        protected override void Dispose(bool disposing) { }
    }
}
