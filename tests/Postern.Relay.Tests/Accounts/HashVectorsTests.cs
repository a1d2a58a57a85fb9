using System.Security.Cryptography;
using System.Text;
using Postern.Relay.Accounts.Hashes;

namespace Postern.Relay.Tests.Accounts;

/// <summary>Stored forms as other programs made them, all of the same password: doveadm, htpasswd, mkpasswd, openssl, passlib, Django, argon2.</summary>
public sealed class HashVectorsTests
{
    private const string Password = "geheim-Wort-1";

    /// <summary>What is stored, what it is called, and whether an operator is warned of it.</summary>
    public static TheoryData<string, string, bool> Made() => new()
    {
        // doveadm pw
        { "{SSHA}+Mhtx/+EHjNOtGQe04TYji4GXQFJZOPR", "{SSHA}", true },
        { "{SSHA256}9+wQSJJZzp8Rv876S6TaHFITH+PZ5CyI6kBS4ZYnZYubQ7Qz", "{SSHA256}", true },
        { "{SSHA512}hPOFNdBep3CcsX8u87jywpizmIA0M7aa6iWtiMb4zpLOo4WrM8g0w85QDQuYC39gJa9OSv7fpVl704Gmv0vYJxjv/qw=", "{SSHA512}", true },
        { "{SHA}6sK+UOMgkPwXtn4lIvHNMXyM4Sw=", "{SHA}", true },
        { "{SHA1}6sK+UOMgkPwXtn4lIvHNMXyM4Sw=", "{SHA1}", true },
        { "{SHA256}pY5fIsNgSNvrYiC30Eh4u2sSTVSLmD3fSdOwJF4Q9Es=", "{SHA256}", true },
        { "{SHA512}0ZXhp5ENGT7dtgN5qc1EkV+6Aief/OL56/FzpAv0EmWoRpUgxnsazIKjUbSQkCiohoLMmD3xQ8JFmqFPxTmlXg==", "{SHA512}", true },
        { "{MD5}$1$2QxrR43E$tH5aPDP2Lvha5vxQoZoe0/", "$1$", true },
        { "{SMD5}bPzlatGBHqwNEhs0e1CoVUHFqlY=", "{SMD5}", true },
        { "{LDAP-MD5}5KxdCyskx25TU0XZj5MnWw==", "{LDAP-MD5}", true },
        { "{PLAIN-MD5}e4ac5d0b2b24c76e535345d98f93275b", "{PLAIN-MD5}", true },
        { "{SHA512-CRYPT}$6$rnVrLf3g0T1IwZ/Z$gyGH9IIONzQaLcMgp7t5YiP/nszMX4Vvsp/0NBMgNX4E4NxD/offT/UQ8S98JFqx81tseC3oNKXmK3rTCFn7V0", "$6$", false },
        { "{SHA256-CRYPT}$5$nIWH8eb6SWCbQLLa$lOFAETBzwhXJ0a4IT6rRp13dvEy0RwZ16Pz0t0em/N2", "$5$", false },
        { "{MD5-CRYPT}$1$846kWM2d$Jm.apUOLDsx1OwWiTBAtw0", "$1$", true },
        { "{CRYPT}$2y$05$uJeIkBmQliMnuOQNDJKJnuRihhSHQZNWf1nkB.lvQH2tGP4tpopFm", "$2y$", true },
        { "{DES-CRYPT}6j1DuYcN47OiY", "DES", true },
        { "{CRYPT}U3sfJBjwWbdXI", "DES", true },
        { "{BLF-CRYPT}$2y$05$6ag0zykZjNjG/M8FcrBxau4Y6Pdo3EyigxA6objkuqw/kbX6//a0i", "$2y$", true },
        { "{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$qX/KRWtWdwnsQnWLZGO11w$IM8gf2552b8TOZWDsNT8Qt6Qwvu14irV2tm3SX4vaiw", "argon2i", false },
        { "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$I9gdILNddYCsBQFRf9AKIg$71fySujIaBhQxI43PEDqOyhVK7P/qYzNrssgpCigjgk", "argon2id", false },
        { "{PBKDF2}$1$VUDHdnWH5HpPV.yb$5000$563196d6ec03d866e845b82b37145aedf478528c", "PBKDF2-SHA1", true },
        { "{SCRAM-SHA-1}4096,j8nyXcxcE4DWJ9BEYac4HA==,8siPEpqRIvbpfn4qZv6mXG1UJpQ=,CMZS+4Y0d/WsdOWiY2SPCanQxb8=", "SCRAM-SHA-1", false },
        { "{SCRAM-SHA-256}4096,MnKEwKpHrY2kc7CO238BFw==,+EXqS6psHQNfE9T04Xwvl7coLQdU5SzUHAh5AluAts8=,HaDOEsTJwtUjQerEQUXrncRvOkJUtIBNh1VCwZtbTio=", "SCRAM-SHA-256", false },
        { "{PLAIN}geheim-Wort-1", "shared", false },
        { "{CLEAR}geheim-Wort-1", "shared", false },
        { "{CLEARTEXT}geheim-Wort-1", "shared", false },
        { "{CRAM-MD5}e1f41b54f4f129090743e4e9b41eff8e72d8f4ea40c95adaa6265a74e354c286", "{CRAM-MD5}", true },
        { "{HMAC-MD5}e1f41b54f4f129090743e4e9b41eff8e72d8f4ea40c95adaa6265a74e354c286", "{CRAM-MD5}", true },
        { "{SSHA.HEX}42f300f73c909841f153c3551553d8a83c7d6a2d708ab803", "{SSHA}", true },
        { "{SHA256.HEX}a58e5f22c36048dbeb6220b7d04878bb6b124d548b983ddf49d3b0245e10f44b", "{SHA256}", true },
        { "{sha512.b64}0ZXhp5ENGT7dtgN5qc1EkV+6Aief/OL56/FzpAv0EmWoRpUgxnsazIKjUbSQkCiohoLMmD3xQ8JFmqFPxTmlXg==", "{SHA512}", true },
        { "{PLAIN.B64}Z2VoZWltLVdvcnQtMQ==", "shared", false },
        { "{PLAIN.HEX}67656865696d2d576f72742d31", "shared", false },
        { "{CRAM-MD5.B64}4fQbVPTxKQkHQ+TptB7/jnLY9OpAyVrapiZadONUwoY=", "{CRAM-MD5}", true },
        { "{PLAIN-MD5.B64}5KxdCyskx25TU0XZj5MnWw==", "{PLAIN-MD5}", true },
        { "{LDAP-MD5.HEX}e4ac5d0b2b24c76e535345d98f93275b", "{LDAP-MD5}", true },
        { "{SMD5.HEX}9a28a7284ed7f99b8bffea404bc96f49329a33a8", "{SMD5}", true },
        { "{SSHA512.base64}Ro+D5oc47qBlFiqm/Z1QVg+8V9iaQQ6uQdzMQR++Gvk0ULYvWK3Nqo60f7PkycFoTzuyC6U74vdOZrl4eqyjJDkTl2o=", "{SSHA512}", true },
        { "{SHA512-CRYPT.HEX}2436247653707337624f677a387a382f35346f24516556372f335a376f38574963435271425a72713544394b677043797930313978723852466b624e586c51554c4d3932396954626862796678376c496b566643376b6e4d6f726141727677556f6a55776e5643755631", "$6$", false },
        { "{ARGON2ID.B64}JGFyZ29uMmlkJHY9MTkkbT02NTUzNix0PTMscD0xJFFFWHlvdVdhQS95bGhOOUVYSW45V2ckcnRlT2tjdElpYUdTSm5jNGlpN3grcnplSlZ2SDkrclExWEVuNGhETmt1UQ==", "argon2id", false },
        { "{SCRAM-SHA-256.B64}NDA5NixoTWNQU0hkaWoyU05uRk96MWFRd0lBPT0sRXBURnpmQnd3RiswOGFPaitRZ29COWdKKzNQRFZVODZ6d1pqNW9tZTRQYz0sZVpsV0tTSkpPY0dEbUcvVWFwelFSM01JYUtaT1k3ci91K1ladVVFRTFlcz0=", "SCRAM-SHA-256", false },

        // htpasswd, openssl passwd
        { "$apr1$O3IUezyM$m/hNDI0MDF4nhRnqOOgwE.", "$apr1$", true },
        { "$apr1$abcdefgh$kCGGyo9dY4ZijMIZqmUYS.", "$apr1$", true },
        { "$2y$05$uQzdDtqWTw0bqFmcD7o.7eO.mXc4wICKq9jgbcotLeJTQAUlhaxcS", "$2y$", true },
        { "$6$abc$jjJUbxh/uzH//giUn6n8wANrImXgvIsTHs/aNsHxqnPuI9NDcE0IoKNWrGeenSnXLSm4OIhMbmyafgxA/LY6p/", "$6$", false },
        { "$5$WI6VPSIcfCbrNdDG$Z8FxiLBB54Fqlo/HhW7W0GBfMl9aQFEqFuDd9JTg/Y9", "$5$", false },
        { "$1$.OmOZXmB$OHiwDATFcc1QiqwB9dBqA0", "$1$", true },

        // mkpasswd
        { "$y$j9T$wvlMy5YilAJ1G.iSR3bKn1$Ww2nULQ4eWCJNFVLhzjaLtG5M7/rQ.u4jCb3gZMufrC", "$y$", false },
        { "$gy$j9T$pBf5LMOHNV8wvKR8e62P6.$avjwWD8yhoLfBu4DwxaxW0hRTF6MVvrtMa3jttXl6o4", "$gy$", false },
        { "$7$CU..../....XfaLm2xYYzW5cLD3T4VYO0$ZuHozCZWsdE788onILTUbCKGfeGpFSeHYY.csBoJvP.", "$7$", false },
        { "$2b$05$BxG3VVuJt5oK6GX5t3sxmeNHFJ7L/Vzj/pgCXRwDgp62MZJZD2HJm", "$2b$", true },
        { "$2a$05$/D2DcHcVjzuD9mm4UM2dQOHIwU715LTXR5kN4WF.OrINzaM1QYZJm", "$2a$", true },

        // passlib, python-argon2, python-bcrypt
        { "$pbkdf2$2001$hzAGAMD4P8cYg3AOgdC6tw$W3KyVdH05zHwsVxWBaEOwVyIzhM", "PBKDF2-SHA1", true },
        { "$pbkdf2-sha256$2001$4/w/JyTE2HvvfW8thXCO0Q$qJa0WPGvs/9/e89AAyP2KcvY2r96aHNOJBJsN3PYSEA", "PBKDF2-SHA256", true },
        { "$pbkdf2-sha256$i=2001,l=32$4/w/JyTE2HvvfW8thXCO0Q$qJa0WPGvs/9/e89AAyP2KcvY2r96aHNOJBJsN3PYSEA", "PBKDF2-SHA256", true },
        { "$pbkdf2-sha512$2001$lHJu7Z0zRoixNkaoVYpxbg$Bv/efv9MBvobK8SqtriS.hXDRjwGhWCmXSOQYm0KUmNxh9vj8QpViDNY01gOLzY.GP1tTNTY3JSPDJ7sHp8iXg", "PBKDF2-SHA512", true },
        { "$scrypt$ln=16,r=8,p=1$wbh37j2HsJYSopSyViol5A$HZQxE82jc029nytqxPhNYnCEqG2t9hm20ZXUVHA4eKU", "scrypt", false },
        { "$argon2id$v=19$m=102400,t=2,p=8$do5R6n0vxViLEQJgLKW0dg$gx6VzolwWqReHEHw1S57Pw", "argon2id", false },
        { "$argon2i$v=19$m=256,t=2,p=2$c2FsdHNhbHRzYWx0$pR0g+Q657EInTn32ZrmSDSgm6nr23svZ", "argon2i", false },
        { "$argon2d$v=19$m=256,t=2,p=2$c2FsdHNhbHRzYWx0$xXTUVov+B4LOLPNp6hGpQTMPerOZmoxf", "argon2d", false },
        { "{SSHA256}LsZdSpMBEeKww4NTKK4elxKszQkLr128NPLCXtXdsGzZew9hLAUgJA==", "{SSHA256}", true },
        { "{MD5}5KxdCyskx25TU0XZj5MnWw==", "{MD5}", true },
        { "{MD5}e4ac5d0b2b24c76e535345d98f93275b", "{MD5}", true },
        { "{PBKDF2-SHA256}2001$vxeC8F6rtfb.X8uZk/Lemw$0Np7KB4Gg2jlSlTZILEKDLzc4Mo3q7DvDVJmU1jp.lM", "PBKDF2-SHA256", true },
        { "{PBKDF2}2001$a21NKcV4zzmHsJaSEgIghA$wTfpAPkQwV6F9wJb/xaPwP1Xzd0", "PBKDF2-SHA1", true },
        { "pbkdf2_sha256$2001$3KARs7Jq8Gu9$iEBaP24lfhTXRAmPyEtkf2T0ZTC2JeOrksMO+LGr6ZI=", "PBKDF2-SHA256", true },
        { "pbkdf2_sha1$2001$9UA7I6ycmHVz$BgeBCSkkrtT2PTHf2Vm3UTVNu7M=", "PBKDF2-SHA1", true },
    };

    /// <summary>Forms whose cost would stop the server, or that are damaged: as above, with a setting changed.</summary>
    public static TheoryData<string, string> Absurd() => new()
    {
        { "$2b$17$BxG3VVuJt5oK6GX5t3sxmeNHFJ7L/Vzj/pgCXRwDgp62MZJZD2HJm", "above 16 (bcrypt)" },
        { "$2b$31$BxG3VVuJt5oK6GX5t3sxmeNHFJ7L/Vzj/pgCXRwDgp62MZJZD2HJm", "above 16 (bcrypt)" },
        { "{BLF-CRYPT}$2b$03$BxG3VVuJt5oK6GX5t3sxmeNHFJ7L/Vzj/pgCXRwDgp62MZJZD2HJm", "above 16 (bcrypt)" },
        { "$y$jZT$wvlMy5YilAJ1G.iSR3bKn1$Ww2nULQ4eWCJNFVLhzjaLtG5M7/rQ.u4jCb3gZMufrC", "256 MiB of memory" },
        { "$7$ZU..../....XfaLm2xYYzW5cLD3T4VYO0$ZuHozCZWsdE788onILTUbCKGfeGpFSeHYY.csBoJvP.", "256 MiB of memory" },
        { "$7$CU....zzzzzXfaLm2xYYzW5cLD3T4VYO0$ZuHozCZWsdE788onILTUbCKGfeGpFSeHYY.csBoJvP.", "256 MiB of memory" },
        { "$argon2id$v=19$m=4194304,t=2,p=8$do5R6n0vxViLEQJgLKW0dg$gx6VzolwWqReHEHw1S57Pw", "256 MiB of memory" },
        { "$argon2id$v=19$m=102400,t=2000,p=8$do5R6n0vxViLEQJgLKW0dg$gx6VzolwWqReHEHw1S57Pw", "4 GiB in all passes" },
        { "$argon2id$v=19$m=102400,t=2,p=80$do5R6n0vxViLEQJgLKW0dg$gx6VzolwWqReHEHw1S57Pw", "64 lanes" },
        { "$argon2id$v=16$m=102400,t=2,p=8$do5R6n0vxViLEQJgLKW0dg$gx6VzolwWqReHEHw1S57Pw", "damaged" },
        { "$pbkdf2-sha256$2000000000$4/w/JyTE2HvvfW8thXCO0Q$qJa0WPGvs/9/e89AAyP2KcvY2r96aHNOJBJsN3PYSEA", "10000000 rounds" },
        { "{PBKDF2}$1$VUDHdnWH5HpPV.yb$500000000$563196d6ec03d866e845b82b37145aedf478528c", "10000000 rounds" },
        { "$pbkdf2-sha256$0$4/w/JyTE2HvvfW8thXCO0Q$qJa0WPGvs/9/e89AAyP2KcvY2r96aHNOJBJsN3PYSEA", "damaged" },
        { "$scrypt$ln=24,r=8,p=1$wbh37j2HsJYSopSyViol5A$HZQxE82jc029nytqxPhNYnCEqG2t9hm20ZXUVHA4eKU", "256 MiB of memory" },
        { "$scrypt$ln=63,r=8,p=1$wbh37j2HsJYSopSyViol5A$HZQxE82jc029nytqxPhNYnCEqG2t9hm20ZXUVHA4eKU", "256 MiB of memory" },
        { "$scrypt$ln=16,r=8,p=100$wbh37j2HsJYSopSyViol5A$HZQxE82jc029nytqxPhNYnCEqG2t9hm20ZXUVHA4eKU", "16 times" },
        { "{SCRAM-SHA-256}409600000,MnKEwKpHrY2kc7CO238BFw==,+EXqS6psHQNfE9T04Xwvl7coLQdU5SzUHAh5AluAts8=,HaDOEsTJwtUjQerEQUXrncRvOkJUtIBNh1VCwZtbTio=", "10000000 rounds" },
        { "{SCRAM-SHA-256}4096,MnKEwKpHrY2kc7CO238BFw==,+EXqS6ps=", "damaged" },
        { "{SSHA}6sK+UOMgkPwXtn4lIvHNMXyM4Sw=", "damaged" },
        { "{SHA256}6sK+UOMgkPwXtn4lIvHNMXyM4Sw=", "damaged" },
        { "{SSHA.HEX}+Mhtx/+EHjNOtGQe04TYji4GXQFJZOPR", "damaged" },
        { "{CRAM-MD5}e1f41b54f4f129090743e4e9b41eff8e", "damaged" },
        { "{DES-CRYPT}6j1DuYcN47Oi", "damaged" },
        { "$apr1$abcdefghi$kCGGyo9dY4ZijMIZqmUYS.", "damaged" },
        { "$apr1$abcdefgh$kCGGyo9dY4ZijMIZqmUYS", "damaged" },
    };

    [Theory]
    [MemberData(nameof(Made))]
    public void A_form_of_another_program_knows_its_password_and_no_other(string stored, string scheme, bool isWeak)
    {
        var hash = PasswordHash.Parse(stored);
        Assert.Equal((scheme, isWeak), (hash.Scheme, hash.Weakness is not null));
        Assert.Equal((scheme, hash.Stored), (PasswordHash.Parse(hash.Stored).Scheme, PasswordHash.Parse(hash.Stored).Stored));
        Assert.IsType<HashAnswer.Match>(Verify(hash, Password));
        Assert.IsType<HashAnswer.NoMatch>(Verify(hash, "Geheim-Wort-1"));
        if (hash.Scheme is "argon2id" or "scrypt" or "$7$" || stored.Contains("m=32768", StringComparison.Ordinal))
            return; // a tenth of a second each; the rest is the same code as for the cheap ones
        Assert.IsType<HashAnswer.NoMatch>(Verify(hash, string.Empty));
        Assert.IsType<HashAnswer.NoMatch>(Verify(hash, "\0"));
        Assert.IsType<HashAnswer.NoMatch>(Verify(hash, stored));
        Assert.Equal(scheme == "DES", Verify(hash, Password + "x") is HashAnswer.Match);
    }

    [Theory]
    [MemberData(nameof(Made))]
    public void Whoever_does_not_exist_can_be_made_to_cost_as_much(string stored, string scheme, bool isWeak)
    {
        var costs = HashCosts.Of([PasswordHash.Parse(stored)]);
        var (cost, like) = Assert.Single(costs.Beyond(HashCosts.None));
        Assert.True(cost.Units > 0, $"{scheme} {isWeak}");
        if (scheme is not ("argon2id" or "scrypt" or "$7$") && !stored.Contains("m=32768", StringComparison.Ordinal))
            Assert.IsType<HashAnswer.NoMatch>(like.Spend(cost, Encoding.UTF8.GetBytes(Password)));
        Assert.Empty(costs.Beyond(costs));
    }

    [Theory]
    [MemberData(nameof(Absurd))]
    public void A_form_that_is_damaged_or_would_cost_too_much_is_refused_in_words_and_computed_never(string stored, string words)
    {
        var unknown = Assert.IsType<UnknownHash>(PasswordHash.Parse(stored));
        Assert.Contains(words, unknown.Problem, StringComparison.Ordinal);
        Assert.IsType<HashAnswer.Unusable>(Verify(unknown, Password));
        Assert.Equal(0, unknown.Cost.Units);
    }

    /// <summary>Whatever stands in a file or a table: cut off, with a character changed, doubled or put in. What can still be read and is cheap is computed.</summary>
    [Fact]
    public void A_form_that_was_meddled_with_is_answered_and_never_throws()
    {
        var random = new Random(1);
        foreach (var stored in Made().Concat(Absurd().Select(static row => new TheoryDataRow<string, string, bool>(row.Data.Item1, row.Data.Item2, false))).Select(static row => row.Data.Item1))
        {
            for (var i = 0; i < 60; i++)
            {
                var at = random.Next(stored.Length);
                var odd = "$:{}.,=\0\u00e4/ 0zZ\ud800"[random.Next(14)];
                var text = (i % 4) switch
                {
                    0 => stored[..at],
                    1 => stored[..at] + odd + stored[(at + 1)..],
                    2 => stored[..at] + odd + stored[at..],
                    _ => stored[at..] + stored,
                };
                var hash = PasswordHash.Parse(text);
                Assert.NotEmpty(hash.Scheme + hash.Description);
                _ = (hash as UnknownHash)?.Problem;
                if (hash is SaltedHash or AprHash or CramHash or SharedHash or DigestHash)
                    Assert.IsNotType<HashAnswer.Unavailable>(Verify(hash, Password));
            }
        }
    }

    /// <summary>RFC 7914 §12, with the PHC string made of it.</summary>
    [Theory]
    [InlineData("password", "$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIurzDZLiKjiG/xCSedmDDaxyevuUqD7m2DYMvfoswGQA")]
    [InlineData("pleaseletmein", "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw")]
    public void Scrypt_is_that_of_its_rfc(string password, string stored) => Assert.IsType<HashAnswer.Match>(Verify(PasswordHash.Parse(stored), password));

    [Fact]
    public void Md5_of_a_state_goes_on_where_the_runtimes_cannot()
    {
        for (var length = 0; length < 200; length++)
        {
            var message = RandomNumberGenerator.GetBytes(Md5State.BlockOctets + length);
#pragma warning disable CA5351 // it is MD5 that is tested
            Assert.Equal(MD5.HashData(message), Md5State.Start.After(message.AsSpan(0, Md5State.BlockOctets)).Finish(message.AsSpan(Md5State.BlockOctets)));
        }

        var cram = Assert.IsType<CramHash>(PasswordHash.Parse("{CRAM-MD5}e1f41b54f4f129090743e4e9b41eff8e72d8f4ea40c95adaa6265a74e354c286"));
        Assert.Equal(HMACMD5.HashData(Encoding.UTF8.GetBytes(Password), "<1@example.org>"u8), cram.Answer("<1@example.org>"u8.ToArray()).ToArray());
#pragma warning restore CA5351
    }

    /// <summary>python-argon2, and what the library of the system says where it is there.</summary>
    [Theory]
    [InlineData("$argon2id$v=19$m=256,t=2,p=2$c2FsdHNhbHRzYWx0$OIG0BN2x9DlBW73cnH85sSmdeOfcSXvb")]
    [InlineData("$argon2i$v=19$m=256,t=2,p=2$c2FsdHNhbHRzYWx0$pR0g+Q657EInTn32ZrmSDSgm6nr23svZ")]
    [InlineData("$argon2d$v=19$m=256,t=2,p=2$c2FsdHNhbHRzYWx0$xXTUVov+B4LOLPNp6hGpQTMPerOZmoxf")]
    public void Managed_code_computes_argon2_as_the_systems_library_does(string stored)
    {
        var fields = stored.Split('$');
        var hash = Assert.IsType<Argon2Hash>(PasswordHash.Parse(stored));
        Assert.Equal(SchemeWord.Base64(fields[5]), hash.Managed(Encoding.UTF8.GetBytes(Password), passes: 2));
        if (LibArgon2.Hash(fields[1], 2, 256, 2, Encoding.UTF8.GetBytes(Password), "saltsaltsalt"u8, 24) is { } native)
            Assert.Equal(SchemeWord.Base64(fields[5]), native);
        Assert.IsType<HashAnswer.NoMatch>(hash.Verify([]));
        Assert.Equal(24, hash.Managed([], passes: 2).Length);
    }

    /// <summary>Where libcrypt is missing, as in a container with another C library.</summary>
    [Theory]
    [InlineData("$2y$05$uQzdDtqWTw0bqFmcD7o.7eO.mXc4wICKq9jgbcotLeJTQAUlhaxcS", Password)]
    [InlineData("$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U")]
    [InlineData("$2a$05$/D2DcHcVjzuD9mm4UM2dQOHIwU715LTXR5kN4WF.OrINzaM1QYZJm", Password)]
    public void Managed_code_computes_bcrypt_as_libcrypt_does(string stored, string password)
    {
        Assert.Equal(stored, Encoding.ASCII.GetString(CryptHash.Bcrypt(Encoding.UTF8.GetBytes(password), stored)!));
        var (wide, setting) = (new string('\u00e4', 50), stored[..29]);
        Assert.Equal(CryptHash.Compute(setting, wide), Encoding.ASCII.GetString(CryptHash.Bcrypt(Encoding.UTF8.GetBytes(wide), setting)!));
        Assert.Equal(CryptHash.Compute(setting, string.Empty), Encoding.ASCII.GetString(CryptHash.Bcrypt([], setting)!));
        Assert.Null(CryptHash.Bcrypt([0xff], stored));
        Assert.Null(CryptHash.Bcrypt("x"u8, "$6$abc$"));
    }

    /// <summary>openssl passwd -apr1, around the edges of its blocks.</summary>
    [Theory]
    [InlineData("", "$apr1$ab$S8K6Sgp3W8c9Jb6LxgywZ.")]
    [InlineData("xxxxxxxxxxxxxxxx", "$apr1$abcdefgh$R0E65Eb3vdT903fP0jqAA0")]
    [InlineData("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "$apr1$abcdefgh$LhfeWxDVjzH9GUUa1WAeu.")]
    [InlineData("\u00e4\u00f6\u00fc-\u20ac", "$apr1$abcdefgh$oYnmdtKxdUlb1ZK4KczXK.")]
    public void Apache_crypt_takes_passwords_of_every_length(string password, string stored)
    {
        Assert.IsType<HashAnswer.Match>(Verify(PasswordHash.Parse(stored), password));
        Assert.IsType<HashAnswer.NoMatch>(Verify(PasswordHash.Parse(stored), password + "x"));
        Assert.IsType<HashAnswer.NoMatch>(Verify(PasswordHash.Parse(stored), new string('x', 4096)));
    }

    private static HashAnswer Verify(PasswordHash hash, string password) => hash.Verify(Encoding.UTF8.GetBytes(password));
}
