using System.Buffers.Binary;

namespace Postern.Relay.Accounts;

/// <summary>The keyed digest under which one attempt, of one password by one user against one state of a store, is known.</summary>
public readonly record struct VerificationKey(UInt128 High, UInt128 Low)
{
    internal const int Octets = 32;

    internal static VerificationKey Read(ReadOnlySpan<byte> digest) =>
        new(BinaryPrimitives.ReadUInt128BigEndian(digest), BinaryPrimitives.ReadUInt128BigEndian(digest[16..]));
}
