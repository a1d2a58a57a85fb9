using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl;

namespace Postern.Tests.Commands;

/// <summary>The users of a Postfix and Dovecot box, as its files have them.</summary>
internal static class ImportedUsers
{
    public static string NameOf(int i) => string.Create(CultureInfo.InvariantCulture, $"user{i}@example.org");

    public static string PasswordOf(int i) => string.Create(CultureInfo.InvariantCulture, $"old-password-{i}");

    /// <summary>Lines of Dovecot, the schemes in turn.</summary>
    public static string Passwd(int count)
    {
        var text = new StringBuilder("# users\n");
        for (var i = 0; i < count; i++)
            text.Append(CultureInfo.InvariantCulture, $"{NameOf(i)}:{StoredOf(i)}:5000:5000::/var/vmail/{i}::userdb_quota_rule=*:storage=1G\n");
        return text.ToString();
    }

    /// <summary>A map of Postfix: each user may send as an alias, and the first one as a whole domain.</summary>
    public static string Senders(int count)
    {
        var text = new StringBuilder("# smtpd_sender_login_maps\n@lists.example.org user0@example.org\n");
        for (var i = 0; i < count; i++)
            text.Append(CultureInfo.InvariantCulture, $"alias{i}@example.org\t{NameOf(i)}, {NameOf(0)}\n");
        return text.ToString();
    }

    private static string StoredOf(int i)
    {
        var password = PasswordOf(i);
        switch (i % 4)
        {
            case 0:
                return "{SHA512-CRYPT}" + Hashed("sha512-crypt", password);
            case 1:
                return "{BLF-CRYPT}" + Hashed("bcrypt", password);
            case 2:
                byte[] salt = [1, 2, 3, (byte)i];
#pragma warning disable CA5350 // it is what old servers have
                return "{SSHA}" + Convert.ToBase64String([.. SHA1.HashData([.. Encoding.UTF8.GetBytes(password), .. salt]), .. salt]);
#pragma warning restore CA5350
            default:
                return "{PLAIN}" + password;
        }
    }

    private static string Hashed(string scheme, string password)
    {
        Assert.True(HashSchemes.Find(scheme)!.TryHash(new HashRequest("x", "x", new Secret(password), IsGenerated: false), out var hash, out var problem), problem);
        return hash.Stored;
    }
}
