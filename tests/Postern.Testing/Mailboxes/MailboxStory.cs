namespace Postern.Testing.Mailboxes;

/// <summary>One message that somebody sends.</summary>
/// <param name="Client">An IPv4 address.</param>
public sealed record StoryMessage(int Login, DateTimeOffset At, uint Client, int[] To, int Author, int Subject)
{
    /// <summary>Who sent it: the thief, and not the user.</summary>
    public bool IsThiefs { get; init; }

    /// <summary>The recipients that do not exist.</summary>
    public int Missing { get; init; }
}

/// <summary>What kind of user or thief a login has.</summary>
public enum StoryKind
{
    Ordinary,
    Newsletter,
    Holiday,
    NewPhone,
    Application,
    LoudSpray,
    SlowDrip,
    OwnCountry,
    AddressBookFirst,
    ManyAuthors,
    SameContent,
}

/// <summary>
/// Six months of mailboxes that nobody has: office hours and weekends, some recipients each, honest users who do something unusual, and
/// thieves. The same seed makes the same messages. Addresses: the highest octet is the country, the second the network operator.
/// </summary>
public sealed class MailboxStory(int seed)
{
    public const int Days = 182;

    private const int Ordinary = 250;
    private const int Honest = 200;
    private const int Thefts = 50;

    private static readonly DateTimeOffset Begin = new(2026, 1, 5, 0, 0, 0, TimeSpan.Zero);

    private readonly Random random = new(seed);
    private int nextStranger = 1_000_000;
    private int nextSubject = 1;

    /// <summary>What each login is; for whoever counts afterwards.</summary>
    public List<StoryKind> Kinds { get; } = [];

    /// <summary>All messages, in the order in which they are sent.</summary>
    public List<StoryMessage> Write()
    {
        var all = new List<StoryMessage>();
        for (var i = 0; i < Ordinary; i++)
            Live(StoryKind.Ordinary, all);
        for (var i = 0; i < Honest; i++)
            Live(StoryKind.Newsletter + (i % 4), all);
        for (var i = 0; i < Thefts; i++)
            Live(StoryKind.LoudSpray + (i % 6), all);
        all.Sort(static (a, b) => a.At != b.At ? a.At.CompareTo(b.At) : a.Login.CompareTo(b.Login));
        return all;
    }

    public static uint CountryOf(uint client) => client >> 24;

    public static uint SystemOf(uint client) => client >> 16;

    private void Live(StoryKind kind, List<StoryMessage> all)
    {
        var login = Kinds.Count;
        Kinds.Add(kind);
        var user = new User(login, random);
        // Whoever does something unusual has been there for two months at least.
        var day = random.Next(60, Days - 20);
        if (kind == StoryKind.Application)
        {
            for (var d = random.Next(0, 20); d < Days; d++)
                Mailing(user, d, random.Next(20, 150), all);
            return;
        }

        for (var d = 0; d < Days; d++)
        {
            var isAway = kind == StoryKind.Holiday && d >= day && d < day + 14;
            var isWeekend = (d % 7) is 5 or 6;
            var count = random.NextDouble() < (isWeekend ? 0.75 : 0.1) ? 0 : (int)(user.Rate * (isAway ? 0.5 : 1) * (0.4 + (random.NextDouble() * 1.4)));
            for (var i = 0; i < count; i++)
            {
                var client = isAway ? user.Abroad(d, random)
                    : kind == StoryKind.NewPhone && d >= day && random.NextDouble() < 0.5 ? user.NewPhone(d)
                    : random.NextDouble() < 0.25 ? user.Phone(d)
                    : random.NextDouble() < 0.1 ? user.Home
                    : user.Office;
                all.Add(new StoryMessage(login, At(d, 8, 19), client, user.Recipients(random, Stranger), login, nextSubject++));
            }
        }

        if (kind == StoryKind.Newsletter)
            Newsletter(user, day, all);
        else if (kind >= StoryKind.LoudSpray)
            Steal(kind, user, day, all);
    }

    /// <summary>Up to 5,000 get the same, in messages for 1 or for 50, within a morning; some of the addresses are old.</summary>
    private void Newsletter(User user, int day, List<StoryMessage> all)
    {
        var (size, batch) = (random.Next(500, 5001), random.Next(2) == 0 ? 1 : 50);
        var old = random.NextDouble() * 0.06;
        var list = Enumerable.Range(0, size).Select(_ => Stranger()).ToArray();
        for (var d = day; d < Days; d += 60)
        {
            var (at, subject) = (At(d, 8, 11), nextSubject++);
            for (var i = 0; i < list.Length; i += batch)
            {
                var to = list[i..Math.Min(i + batch, list.Length)];
                all.Add(new StoryMessage(user.Login, at.AddSeconds(i * 1.5), user.Office, to, user.Login, subject) { Missing = to.Count(_ => random.NextDouble() < old) });
            }
        }
    }

    /// <summary>A shop: each customer another message from one machine.</summary>
    private void Mailing(User user, int day, int count, List<StoryMessage> all)
    {
        for (var i = 0; i < count; i++)
        {
            var to = random.NextDouble() < 0.6 ? Stranger() : 900_000 + (user.Login * 100) + random.Next(100);
            all.Add(new StoryMessage(user.Login, At(day, 0, 24), user.Office, [to], user.Login, random.Next(10) + (user.Login * 1000)) { Missing = random.NextDouble() < 0.02 ? 1 : 0 });
        }
    }

    private void Steal(StoryKind kind, User user, int day, List<StoryMessage> all)
    {
        // Thieves come at any hour, from rented machines and from stolen ones in homes.
        var begin = At(day, 0, 24);
        var places = Enumerable.Range(0, kind == StoryKind.SlowDrip ? random.Next(3, 8) : random.Next(1, 4)).Select(_ => kind == StoryKind.OwnCountry ? user.Near(random) : Far(user)).ToArray();
        var perHour = kind switch
        {
            StoryKind.SlowDrip => random.Next(12, 25),
            StoryKind.AddressBookFirst => random.Next(40, 120),
            StoryKind.OwnCountry => random.Next(25, 300),
            _ => random.Next(200, 2000),
        };
        var (perMessage, total) = (random.Next(3) == 0 ? random.Next(2, 30) : 1, kind == StoryKind.SlowDrip ? 600 : 2000);
        var subject = nextSubject++;
        var missing = 0.05 + (random.NextDouble() * 0.3);
        for (var i = 0; i < total; i++)
        {
            var fromBook = kind == StoryKind.AddressBookFirst && i < user.Book.Length;
            var to = Enumerable.Range(0, fromBook ? 1 : perMessage).Select(_ => fromBook ? user.Book[i] : Stranger()).ToArray();
            var at = begin.AddHours((double)i / perHour);
            var author = kind == StoryKind.ManyAuthors ? 500_000 + i : user.Login;
            all.Add(new StoryMessage(user.Login, at, places[(kind == StoryKind.SlowDrip ? i / 3 : i / 25) % places.Length] + (uint)random.Next(3), to, author, kind is StoryKind.SameContent or StoryKind.LoudSpray ? subject : nextSubject++)
            {
                IsThiefs = true,
                Missing = fromBook ? 0 : to.Count(_ => random.NextDouble() < missing),
            });
        }
    }

    private uint Far(User user)
    {
        uint country;
        do
            country = (uint)random.Next(1, 60);
        while (country == user.Country);
        return (country << 24) | ((uint)random.Next(200) << 16) | ((uint)random.Next(256) << 8) | 10;
    }

    private int Stranger() => nextStranger++;

    private DateTimeOffset At(int day, int from, int to) => Begin.AddDays(day).AddHours(from + (random.NextDouble() * (to - from)));

    private sealed class User
    {
        private readonly uint phone;
        private readonly uint newPhone;
        private readonly uint abroad;

        public User(int login, Random random)
        {
            Login = login;
            Country = (uint)random.Next(1, 12);
            Office = At(Country, random) | 10;
            Home = At(Country, random) | 20;
            (phone, newPhone, abroad) = (At(Country, random), At(Country, random), At((uint)random.Next(20, 60), random));
            // Few send much.
            Rate = Math.Min(60, 2 + (4 / (0.05 + random.NextDouble())));
            Book = [.. Enumerable.Range(0, random.Next(15, 90)).Select(i => (login * 100) + i)];
        }

        public int Login { get; }

        public uint Country { get; }

        public uint Office { get; }

        public uint Home { get; }

        /// <summary>Messages on a day.</summary>
        public double Rate { get; }

        public int[] Book { get; }

        /// <summary>Of a network whose operator gives another address every day.</summary>
        public uint Phone(int day) => phone | ((uint)(day * 7 % 40) << 8) | (uint)(day % 250);

        public uint NewPhone(int day) => newPhone | ((uint)(day * 5 % 40) << 8) | (uint)(day % 250);

        /// <summary>A hotel, and the telephone; some are on the way through a second country.</summary>
        public uint Abroad(int day, Random random) =>
            (Login % 5 == 0 && day % 7 == 3 ? abroad ^ 0x01000000 : abroad)
                ^ (random.Next(2) == 0 ? 0u : 0x00010000u) | ((uint)(day / 5 % 40) << 8) | (uint)(day % 5);

        /// <summary>Another customer of some operator in the same country, the user's own among them.</summary>
        public uint Near(Random random) => random.Next(3) == 0
            ? (Home & 0xFFFF0000) | ((uint)random.Next(256) << 8) | 77
            : At(Country, random) | ((uint)random.Next(256) << 8) | 77;

        /// <summary>Mostly those that were written to before.</summary>
        public int[] Recipients(Random random, Func<int> stranger)
        {
            var count = random.NextDouble() < 0.8 ? 1 : random.Next(2, 6);
            return [.. Enumerable.Range(0, count).Select(_ => random.NextDouble() < 0.12 ? stranger() : Book[(int)(random.NextDouble() * random.NextDouble() * Book.Length)])];
        }

        private static uint At(uint country, Random random) => (country << 24) | ((uint)random.Next(30) << 16) | ((uint)random.Next(256) << 8);
    }
}
