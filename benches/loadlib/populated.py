"""Runs a server with the accounts and tasks that the tables use."""

from .server import ApiServer

READER = "reader@load.example"
WRITER = "writer@load.example"
TASKS_OF_READER = 20


def sample_task(number):
    return {"title": f"Buy the milk of day {number}", "description": "Two litres, and not the one from last time."}


def tasks_path(grant):
    return f"/api/{grant['user']['id']}/tasks"


class PopulatedServer(ApiServer):
    """An api-server with one account that reads its 20 tasks, and one that creates tasks."""

    def __init__(self, binary, database, folder):
        super().__init__(binary, database.url, folder)
        self.database, self.engine, self.folder = database, database.engine, folder
        self.reader = self.register(READER)
        self.writer = self.register(WRITER)
        for number in range(TASKS_OF_READER):
            self.expect(201, "POST", tasks_path(self.reader), sample_task(number), self.reader["access_token"])
        tasks = self.expect(200, "GET", tasks_path(self.reader), token=self.reader["access_token"])
        if len(tasks) != TASKS_OF_READER:
            raise SystemExit(f"{len(tasks)} tasks instead of {TASKS_OF_READER}")
