using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Postern.Relay.Accounts.Stores.Pam;

/// <summary>One login by Linux-PAM (pam(3); Debian: libpam0g). It blocks for as long as the modules do.</summary>
internal static unsafe partial class LibPam
{
    public const string Name = "libpam.so.0";

    /// <summary>What modules read of an answer, its NUL included (PAM_MAX_RESP_SIZE).</summary>
    public const int MaxPasswordOctets = 511;

    // Items (pam_set_item(3)) and flags (pam_authenticate(3)).
    private const int Terminal = 3;
    private const int RemoteHost = 4;
    private const int FailDelay = 10;
    private const int NoEmptyPassword = 1;
    private const int Silent = 0x8000;

    // Kinds of messages, and what the conversation answers (pam_conv(3)).
    private const int HiddenPrompt = 1;
    private const int Prompt = 2;
    private const int ConversationFailed = 19;
    private const int MostPrompts = 8;

    private static readonly Lazy<bool> Present = new(static () =>
        OperatingSystem.IsLinux()
        && NativeLibrary.TryLoad(Name, typeof(LibPam).Assembly, DllImportSearchPath.SafeDirectories, out var library)
        && NativeLibrary.TryGetExport(library, "pam_start_confdir", out _));

    /// <summary>The library is on this machine, and new enough (1.4).</summary>
    public static bool IsPresent => Present.Value;

    /// <summary>Asks the modules of a service for a user: first about the password, then about the account.</summary>
    /// <param name="directory">Where the service's file is in place of <c>/etc/pam.d</c>; null for that.</param>
    /// <param name="password">
    /// Without NUL. It is copied into memory of the library's kind, and the copy is zeroed when the modules have come back.
    /// </param>
    /// <param name="client">The client's address; null where nobody knows it.</param>
    public static PamResult Check(string service, string? directory, string user, ReadOnlySpan<byte> password, string? client)
    {
        var phrase = (byte*)NativeMemory.AllocZeroed((nuint)password.Length + 1);
        try
        {
            password.CopyTo(new Span<byte>(phrase, password.Length));
            var talk = new Talk { Password = phrase, Length = password.Length };
            var conversation = new Conversation { Converse = &Converse, Data = &talk };
            nint handle;
            var result = directory is null
                ? Start(service, user, &conversation, &handle)
                : Start(service, user, &conversation, directory, &handle);
            return result == 0
                ? Check(handle, client, &talk)
                : new PamResult((PamCode)result, IsOfAccount: false, HasAskedElse: false);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(new Span<byte>(phrase, password.Length));
            NativeMemory.Free(phrase);
        }
    }

    private static PamResult Check(nint handle, string? client, Talk* talk)
    {
        // Who fails is slowed down by this server, and not by the modules, which would hold a thread for it.
        _ = SetItem(handle, FailDelay, (void*)(delegate* unmanaged[Cdecl]<int, uint, void*, void>)&DoNotDelay);
        SetText(handle, Terminal, "postern");
        if (client is not null)
            SetText(handle, RemoteHost, client);
        var isOfAccount = false;
        var result = Authenticate(handle, Silent | NoEmptyPassword);
        if (result == 0)
        {
            isOfAccount = true;
            result = CheckAccount(handle, Silent | NoEmptyPassword);
        }

        _ = End(handle, result);
        return new PamResult((PamCode)result, isOfAccount, talk->HasAskedElse != 0);
    }

    private static void SetText(nint handle, int item, string text)
    {
        var octets = Marshal.StringToCoTaskMemUTF8(text);
        _ = SetItem(handle, item, (void*)octets); // copied there
        Marshal.FreeCoTaskMem(octets);
    }

    /// <summary>Answers what is asked without echo, which is the password, and nothing else.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Converse(int count, Message** messages, Response** responses, void* data)
    {
        var talk = (Talk*)data;
        var prompts = 0;
        for (var i = 0; i < count; i++)
        {
            if (messages[i]->Kind == Prompt)
                talk->HasAskedElse = 1;
            else if (messages[i]->Kind == HiddenPrompt)
                prompts++;
        }

        talk->Prompts += prompts;
        if (count <= 0 || talk->HasAskedElse != 0 || talk->Prompts > MostPrompts)
            return ConversationFailed;
        // The module frees them.
        var answers = (Response*)Allocate((nuint)count, (nuint)sizeof(Response));
        if (answers is null)
            return ConversationFailed;
        for (var i = 0; i < count; i++)
        {
            if (messages[i]->Kind != HiddenPrompt)
                continue;
            answers[i].Text = (byte*)Allocate((nuint)talk->Length + 1, 1);
            if (answers[i].Text is not null)
                Unsafe.CopyBlock(answers[i].Text, talk->Password, (uint)talk->Length);
        }

        *responses = answers;
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void DoNotDelay(int result, uint microseconds, void* data)
    {
    }

    /// <summary>Nothing is thrown where there is no memory: no exception may leave a conversation.</summary>
    [LibraryImport("libc", EntryPoint = "calloc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void* Allocate(nuint count, nuint size);

    [LibraryImport(Name, EntryPoint = "pam_start", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Start(string service, string user, Conversation* conversation, nint* handle);

    [LibraryImport(Name, EntryPoint = "pam_start_confdir", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Start(string service, string user, Conversation* conversation, string directory, nint* handle);

    [LibraryImport(Name, EntryPoint = "pam_set_item")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetItem(nint handle, int item, void* value);

    [LibraryImport(Name, EntryPoint = "pam_authenticate")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Authenticate(nint handle, int flags);

    [LibraryImport(Name, EntryPoint = "pam_acct_mgmt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int CheckAccount(nint handle, int flags);

    [LibraryImport(Name, EntryPoint = "pam_end")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int End(nint handle, int status);

#pragma warning disable CS0649 // the library writes and reads them
    /// <summary><c>struct pam_message</c>.</summary>
    private struct Message
    {
        public int Kind;
        public byte* Text;
    }

    /// <summary><c>struct pam_response</c>.</summary>
    private struct Response
    {
        public byte* Text;
        public int Unused;
    }
#pragma warning restore CS0649

    /// <summary><c>struct pam_conv</c>.</summary>
    private struct Conversation
    {
        public delegate* unmanaged[Cdecl]<int, Message**, Response**, void*, int> Converse;
        public void* Data;
    }

    /// <summary>What the conversation knows.</summary>
    private struct Talk
    {
        public byte* Password;
        public int Length;
        public int Prompts;
        public byte HasAskedElse;
    }
}
