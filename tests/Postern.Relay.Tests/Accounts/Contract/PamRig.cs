using System.Collections.Concurrent;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores;
using Postern.Testing.Processes;

namespace Postern.Relay.Tests.Accounts.Contract;

/// <summary>PAM with the modules of this machine, by a service in a directory of its own: nothing of the machine is changed.</summary>
public sealed class PamRig : IStoreRig
{
    private const string Service = "postern-test";

    private readonly string folder = Directory.CreateTempSubdirectory("postern-pam-").FullName;
    private readonly ConcurrentDictionary<string, string> lines = new(StringComparer.Ordinal);
    private readonly Lock writing = new();

    public string Word => "pam";

    public StoreAbilities Abilities => StoreAbilities.Reload;

    public bool PresumesUsers => true;

    /// <summary>PAM_MAX_RESP_SIZE.</summary>
    public int LongestPassword => 511;

    public IReadOnlyDictionary<StoreFailure, StoreFault> Faults => new Dictionary<StoreFailure, StoreFault>
    {
        [StoreFailure.Stopped] = new("there is no ", () =>
        {
            File.Delete(ServiceFile);
            return Task.FromResult<Func<Task>>(() =>
            {
                WriteService();
                return Task.CompletedTask;
            });
        }),
        [StoreFailure.Damaged] = new("a module cannot reach what it looks users up in (PAM_AUTHINFO_UNAVAIL)", () =>
        {
            File.Delete(UsersFile);
            return Task.FromResult<Func<Task>>(() =>
            {
                WriteUsers();
                return Task.CompletedTask;
            });
        }),
        [StoreFailure.Hangs] = new($"no answer within {new StoreTerms().Timeout.TotalSeconds} s", async () =>
        {
            var gate = await PamGate.MakeAsync(folder);
            WriteService($"auth required pam_exec.so quiet {gate.Program}");
            return () =>
            {
                WriteService();
                gate.Open();
                return Task.CompletedTask;
            };
        }) { IsSilent = true },
    };

    private string ServiceFile => Path.Combine(folder, Service);

    private string UsersFile => Path.Combine(folder, "users");

    public Task PutAsync(RigUser user)
    {
        CryptHash.Create("$1$", user.Secrets[0], out var hash);
        lines[user.Name] = $"{user.Name}:{hash!.Stored}";
        WriteUsers();
        return Task.CompletedTask;
    }

    public Task RemoveAsync(string name)
    {
        lines.TryRemove(name, out _);
        WriteUsers();
        return Task.CompletedTask;
    }

    public bool CanHold(string name) => name[0] is not ('-' or '.') && !name.Contains(':', StringComparison.Ordinal) && !name.Contains('/', StringComparison.Ordinal);

    public AccountSource Configure() => AccountStores.All.Single(static k => k.Word == "pam").Read(
        new StoreKeys(("directory", folder)),
        new AccountSource($"pam:{Service}", "mail.example.org") { Terms = new StoreTerms { MostQuestions = 200 } });

    public ValueTask InitializeAsync()
    {
        Assert.SkipUnless(PamGate.HasModule("pam_pwdfile.so"), "libpam-pwdfile is not installed");
        WriteUsers();
        WriteService();
        return default;
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(folder, recursive: true);
        return default;
    }

    private void WriteService(string first = "#") =>
        Replace(ServiceFile, $"{first}\nauth required pam_pwdfile.so pwdfile={UsersFile} nodelay\naccount required pam_permit.so\n");

    private void WriteUsers()
    {
        lock (writing)
            Replace(UsersFile, string.Concat(lines.Values.Select(static line => line + "\n")));
    }

    private static void Replace(string file, string text)
    {
        File.WriteAllText(file + ".new", text);
        File.Move(file + ".new", file, overwrite: true);
    }
}

/// <summary>A program that a module waits for until the test lets it go on.</summary>
internal sealed class PamGate
{
    private readonly string pipe;

    private PamGate(string folder)
    {
        pipe = Path.Combine(folder, "gate");
        Program = Path.Combine(folder, "gate.sh");
    }

    /// <summary>It ends well once the gate is open.</summary>
    public string Program { get; }

    public static bool HasModule(string name) => Directory.Exists("/usr/lib")
        && Directory.GetDirectories("/usr/lib", "*-linux-gnu").Any(directory => File.Exists(Path.Combine(directory, "security", name)));

    public static async Task<PamGate> MakeAsync(string folder)
    {
        var gate = new PamGate(folder);
        File.Delete(gate.pipe);
        var made = await RunningProgram.RunAsync(["mkfifo", gate.pipe]);
        Assert.True(made.ExitCode == 0, made.Error);
        await File.WriteAllTextAsync(gate.Program, $"#!/bin/sh\nread -r line < {gate.pipe}\nexit 0\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(gate.Program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return gate;
    }

    /// <summary>For those that wait, and those that are about to.</summary>
    public void Open()
    {
        var aside = pipe + ".open";
        File.Move(pipe, aside);
        File.WriteAllText(pipe, "\n");
        using (new FileStream(aside, FileMode.Open, FileAccess.ReadWrite)) // whoever waits to read begins, and reads the end
        {
        }

        File.Delete(aside);
    }
}

public sealed class PamStoreContractTests(PamRig rig) : StoreContract<PamRig>(rig);
