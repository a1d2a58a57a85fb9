using System.Globalization;
using System.Net;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Audit;
using Postern.Relay.Runtime;
using Postern.Relay.Spool;
using Postern.Smtp;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Bench;

/// <summary>
/// A server in a process of its own, as the relay makes one: verifiers, hashing threads and login protection as they are by default, and a spool on
/// the disk; without delivery. Its users have one kind of password.
/// </summary>
internal static class AttackedServer
{
    public const string Verb = "attacked";
    public const int Users = 500;

    /// <summary>The words for the kinds of password.</summary>
    public static readonly string[] Kinds = ["bcrypt", "argon2id", "slow"];

    /// <summary>The process itself: says its port, and ends when its input does.</summary>
    public static async Task<int> RunAsync(string kind, bool isProtected)
    {
        var folder = Directory.CreateTempSubdirectory("postern-bench-");
        try
        {
            var clock = TimeProvider.System;
            using var pool = new HashingPool(new HashingPoolOptions());
            var protection = new LoginProtection(new LoginProtectionOptions { IsEnabled = isProtected }, NoAuditLog.Instance, clock);
            var verifiers = new AccountVerifiers([StoreOf(kind)], pool, new VerificationCache(clock), clock, protection);
            await using var spool = await SpoolOptions.Local(Path.Combine(folder.FullName, "spool")).OpenAsync(clock, CancellationToken.None);
            await using var server = new SmtpServer(new SmtpServerOptions
            {
                Hostname = "bench.example.org",
                Listeners = [new SmtpListenerOptions { Name = "bench", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.None, Auth = AuthMode.Always }],
                Policy = new TestPolicy(),
                Store = new SubmissionStore(spool, NoAuditLog.Instance, clock),
                Sasl = verifiers.Context,
                Gauges = [new HashingGauge(pool)],
            });
            server.Start();
            await Console.Out.WriteLineAsync(server.Endpoints[0].Endpoint.Port.ToString(CultureInfo.InvariantCulture));
            while (await Console.In.ReadLineAsync() is not null)
                await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{Environment.CpuUsage.TotalTime.TotalSeconds} {pool.Computed}"));
            await server.StopAsync(CancellationToken.None);
            return 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static IAccountStore StoreOf(string kind) => kind == "slow"
        ? AccountStores.Bound(new FarUsers(Users, TimeSpan.FromMilliseconds(50)), new StoreTerms(), TimeProvider.System)
        : new NearUsers(Users, PasswordHash.Parse(HashOf(kind)));

    private static string HashOf(string kind) => kind == "bcrypt"
        ? BCrypt.Net.BCrypt.HashPassword(FarUsers.Password, 12)
        : Argon2idOf(FarUsers.Password);

    /// <summary>64 MiB, three passes, one lane: what libsodium calls moderate, and Dovecot makes.</summary>
    private static string Argon2idOf(string password)
    {
        byte[] salt = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
        using var hash = new Konscious.Security.Cryptography.Argon2id(System.Text.Encoding.UTF8.GetBytes(password))
        {
            Salt = salt, MemorySize = 65_536, Iterations = 3, DegreeOfParallelism = 1,
        };
        return $"$argon2id$v=19$m=65536,t=3,p=1${Text(salt)}${Text(hash.GetBytes(32))}";

        static string Text(byte[] octets) => Convert.ToBase64String(octets).TrimEnd('=');
    }
}
