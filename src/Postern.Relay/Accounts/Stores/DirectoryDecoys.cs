using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl;

namespace Postern.Relay.Accounts.Stores;

/// <summary>
/// Credentials for names that do not exist: those of some account, chosen by the name. Whoever measures finds among unknown
/// names the same mixture of costs as among known ones. Nothing is ever granted on their strength.
/// </summary>
internal sealed class DirectoryDecoys
{
    private const int Count = 32;

    /// <summary>Makes the choice stable for a name and not to be guessed from outside.</summary>
    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);

    /// <summary>What a wrong password costs where there is no credential at all.</summary>
    private static readonly StoredCredential Default = new("decoy", ScramHash.ForGenerated(Secret.Generate()), ExpiresAt: null);

    private readonly ImmutableArray<StoredCredential>[] drawn = new ImmutableArray<StoredCredential>[Count];

    public ImmutableArray<StoredCredential> For(string name, SqliteConnection sql)
    {
        var number = (int)(Digest(Encoding.UTF8.GetBytes(name)) % Count);
        if (drawn[number].IsDefault)
            drawn[number] = Draw(sql, lot: Digest([(byte)number]));
        return drawn[number];
    }

    private static ImmutableArray<StoredCredential> Draw(SqliteConnection sql, ulong lot)
    {
        if (sql.ExecuteScalar<long?>("select max(account_id) from credentials") is not { } last)
            return [Default];
        var from = (long)(lot % (ulong)last) + 1;
        return DirectoryReader.Credentials(sql, sql.ExecuteScalar<long>("select min(account_id) from credentials where account_id >= @from", new { from }));
    }

    private static ulong Digest(ReadOnlySpan<byte> data)
    {
        Span<byte> digest = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(Key, data, digest);
        return BinaryPrimitives.ReadUInt64LittleEndian(digest);
    }
}
